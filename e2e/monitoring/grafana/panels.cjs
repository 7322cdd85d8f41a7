// Shows panels as Grafana does, with Grafana's own library of data: transformations, overrides, display processors and
// links. It reads panels with the answers of Prometheus from standard input, as JSON, and writes what they show.
// The library expects a browser.
globalThis.navigator ??= { languages: ['en-GB'], language: 'en-GB' };
const data = require('@grafana/data');
globalThis.window ??= {}; // only now, because its dependencies look for it when they load

const theme = data.createTheme({ colors: { mode: 'dark' } });

const { merge, filterFieldsByName, organize } = data.DataTransformerID;
data.standardTransformersRegistry.setInit(() =>
  Object.values(data.standardTransformers)
    .filter(({ id }) => [merge, filterFieldsByName, organize].includes(id))
    .map((transformation) => ({
      id: transformation.id,
      name: transformation.name,
      transformation: async () => transformation,
      editor: async () => null,
    })));

data.locationUtil.initialize({
  config: { appSubUrl: '' },
  getVariablesUrlParams: () => ({}),
  getTimeRangeForUrl: () => ({ from: 'now-24h', to: 'now' }),
});

// The options that the dashboards use. In Grafana, its standard ones and those of the panels are registered.
const same = (value) => value;
const none = () => null;
const option = (path, process = same) =>
  ({ id: path, path, name: path, process, shouldApply: () => true, override: none, editor: none });
const custom = (path) => ({ ...option(path), id: 'custom.' + path, isCustom: true });
const registry = new data.FieldConfigOptionsRegistry(() => [
  ...['unit', 'decimals', 'min', 'max', 'noValue', 'color', 'displayName'].map((path) => option(path)),
  option('mappings', data.valueMappingsOverrideProcessor),
  option('thresholds', data.thresholdsOverrideProcessor),
  option('links', data.dataLinksOverrideProcessor),
  ...['hidden', 'hideFrom', 'hideFrom.viz', 'width', 'cellOptions', 'lineWidth', 'fillOpacity', 'fillBelowTo']
    .map(custom),
]);

// variable replaces variables in a link. What it does not know stays as it is, as in Grafana.
function replace(text, scoped) {
  const context = scoped?.__dataContext?.value;
  return text.replace(/\$\{([\w.]+)(?::(\w+))?\}/g, (whole, name, own) => {
    if (name === 'datasource' && own === 'queryparam') return 'var-datasource=prometheus';
    if (name === '__url_time_range') return 'from=now-24h&to=now';
    if (!context || !name.startsWith('__data.fields.')) return whole;
    const fields = data.getFieldDisplayValuesProxy({ frame: context.frame, rowIndex: context.rowIndex });
    const value = fields[name.slice('__data.fields.'.length)];
    if (value === undefined) return whole;
    return own === 'percentencode' ? encodeURIComponent(String(value)) : encodeURI(String(value));
  });
}

// tableFrame has a row for each series. Grafana gives a query without an answer a frame, too.
function tableFrame(answer, several) {
  const labels = [...new Set(answer.result.flatMap((series) => Object.keys(series.metric)))].sort();
  const field = (name, type, value) => ({ name, type, values: answer.result.map(value) });
  return data.toDataFrame({
    refId: answer.refId,
    fields: [
      field('Time', 'time', (series) => series.value[0] * 1000),
      ...labels.map((name) => field(name, 'string', (series) => series.metric[name] ?? '')),
      field(several ? 'Value #' + answer.refId : 'Value', 'number', (series) => Number(series.value[1])),
    ],
  });
}

// seriesFrames has a frame for each series, with the name from the legend.
function seriesFrames(answer) {
  return answer.result.map((series) => {
    const values = series.values ?? [series.value];
    const legend = answer.legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => series.metric[label] ?? '');
    const config = answer.legend === '__auto' ? {} : { displayNameFromDS: legend };
    return data.toDataFrame({
      refId: answer.refId,
      fields: [
        { name: 'Time', type: 'time', values: values.map((v) => v[0] * 1000) },
        { name: 'Value', type: 'number', labels: series.metric, values: values.map((v) => Number(v[1])), config },
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
  await new Promise((complete, error) => {
    const next = (transformed) => { shown = transformed; };
    data.transformDataFrame(panel.transformations ?? [], frames).subscribe({ next, complete, error });
  });
  const { fieldConfig } = panel;
  shown = data.applyFieldOverrides({
    data: shown, fieldConfig, fieldConfigRegistry: registry, replaceVariables: replace, theme, timeZone: 'utc',
  });
  const columns = shown.flatMap((frame) => frame.fields.map((field) => ({
    name: field.name,
    title: data.getFieldDisplayName(field, frame, shown),
    hidden: Boolean(field.config.custom?.hidden && field.config.custom?.hideFrom?.viz),
    nothing: nothing(field.config),
    cells: table ? field.values.map((_, row) => show(field, frame, row)) : [],
  })));
  return { columns, nothing: nothing(panel.fieldConfig.defaults) };
}

let input = '';
process.stdin.on('data', (chunk) => { input += chunk; });
process.stdin.on('end', async () => {
  const pictures = [];
  for (const panel of JSON.parse(input)) pictures.push(await render(panel));
  process.stdout.write(JSON.stringify(pictures));
});
