// Shows panels as Grafana does, with Grafana's own library of data: transformations, overrides, display processors and
// links. It reads panels with the answers of Prometheus from standard input, as JSON, and writes what they show.
globalThis.navigator ??= { languages: ['en-GB'], language: 'en-GB' }; // the library expects a browser
const data = require('@grafana/data');

const theme = data.createTheme({ colors: { mode: 'dark' } });

data.standardTransformersRegistry.setInit(() =>
  Object.values(data.standardTransformers).map((transformation) => ({
    id: transformation.id, name: transformation.name, transformation, editor: () => null,
  })));

data.locationUtil.initialize({
  config: { appSubUrl: '' },
  getVariablesUrlParams: () => ({}),
  getTimeRangeForUrl: () => ({ from: 'now-24h', to: 'now' }),
});

// The options that the dashboards use. In Grafana, its standard ones and those of the panels are registered.
const same = (value) => value;
const option = (path, process = same) => ({ id: path, path, name: path, process, shouldApply: () => true, override: () => null, editor: () => null });
const custom = (path) => ({ ...option(path), id: 'custom.' + path, isCustom: true });
const registry = new data.FieldConfigOptionsRegistry(() => [
  ...['unit', 'decimals', 'min', 'max', 'noValue', 'color', 'displayName'].map((path) => option(path)),
  option('mappings', data.valueMappingsOverrideProcessor),
  option('thresholds', data.thresholdsOverrideProcessor),
  option('links', data.dataLinksOverrideProcessor),
  ...['hidden', 'hideFrom', 'hideFrom.viz', 'width', 'cellOptions', 'lineWidth', 'fillOpacity', 'fillBelowTo'].map(custom),
]);

// variable replaces variables in a link. What it does not know stays as it is, as in Grafana.
function replace(text, scoped, format) {
  const context = scoped?.__dataContext?.value;
  return text.replace(/\$\{([\w.]+)(?::(\w+))?\}/g, (whole, name, own) => {
    if (name === 'datasource' && own === 'queryparam') return 'var-datasource=prometheus';
    if (name === '__url_time_range') return 'from=now-24h&to=now';
    if (!context || !name.startsWith('__data.fields.')) return whole;
    const fields = data.getFieldDisplayValuesProxy({ frame: context.frame, rowIndex: context.rowIndex });
    const value = fields[name.slice('__data.fields.'.length)];
    if (value === undefined) return whole;
    return (own ?? format) === 'percentencode' ? encodeURIComponent(String(value)) : encodeURI(String(value));
  });
}

// tableFrame has a row for each series. Grafana gives a query without an answer a frame, too.
function tableFrame(answer, several) {
  const labels = [...new Set(answer.result.flatMap((series) => Object.keys(series.metric)))].sort();
  return data.toDataFrame({
    refId: answer.refId,
    fields: [
      { name: 'Time', type: 'time', values: answer.result.map((series) => series.value[0] * 1000) },
      ...labels.map((name) => ({ name, type: 'string', values: answer.result.map((series) => series.metric[name] ?? '') })),
      { name: several ? 'Value #' + answer.refId : 'Value', type: 'number', values: answer.result.map((series) => Number(series.value[1])) },
    ],
  });
}

// seriesFrames has a frame for each series, with the name from the legend.
function seriesFrames(answer) {
  return answer.result.map((series) => {
    const values = series.values ?? [series.value];
    const name = answer.legend === '__auto' ? undefined : answer.legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => series.metric[label] ?? '');
    return data.toDataFrame({
      refId: answer.refId,
      fields: [
        { name: 'Time', type: 'time', values: values.map((v) => v[0] * 1000) },
        { name: 'Value', type: 'number', labels: series.metric, values: values.map((v) => Number(v[1])), config: { displayNameFromDS: name } },
      ],
    });
  });
}

function show(field, frame, row) {
  const display = field.display(field.values[row]);
  const cell = { text: data.formattedValueToString(display), color: display.color ?? '' };
  const links = field.getLinks({ valueRowIndex: row }).map((link) => link.href);
  return links.length ? { ...cell, links } : cell;
}

// nothing is what a cell or a panel shows for no value.
function nothing(config) {
  const display = data.getDisplayProcessor({ field: { type: data.FieldType.number, config }, theme })(null);
  return { text: data.formattedValueToString(display), color: display.color ?? '' };
}

async function render({ panel, answers }) {
  const table = panel.type === 'table';
  const frames = table
    ? answers.map((answer) => tableFrame(answer, answers.length > 1))
    : answers.flatMap(seriesFrames);
  let shown = frames;
  await new Promise((resolve, reject) =>
    data.transformDataFrame(panel.transformations ?? [], frames).subscribe({ next: (f) => { shown = f; }, complete: resolve, error: reject }));
  shown = data.applyFieldOverrides({
    data: shown, fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry, replaceVariables: replace, theme, timeZone: 'utc',
  });
  const columns = shown.flatMap((frame) => frame.fields.map((field) => ({
    name: field.name,
    title: data.getFieldDisplayName(field, frame, shown),
    hidden: Boolean(field.config.custom?.hidden && field.config.custom?.hideFrom?.viz),
    nothing: nothing(field.config),
    cells: table ? field.values.map((_, row) => show(field, frame, row)) : [],
  })));
  return { frames: shown.length, columns, nothing: nothing(panel.fieldConfig.defaults) };
}

let input = '';
process.stdin.on('data', (chunk) => { input += chunk; });
process.stdin.on('end', async () => {
  const pictures = [];
  for (const panel of JSON.parse(input)) pictures.push(await render(panel));
  process.stdout.write(JSON.stringify(pictures));
});
