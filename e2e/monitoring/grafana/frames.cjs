// What Grafana does with the answers of Prometheus before a panel shows them.
const data = require('@grafana/data');

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
  ...['drawStyle', 'showPoints', 'spanNulls', 'stacking', 'thresholdsStyle'].map(custom),
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

// frames has the answers as Grafana's data source returns them.
function frames(panel, answers) {
  if (panel.type === 'table') return answers.map((answer) => tableFrame(answer, answers.length > 1));
  return answers.flatMap(seriesFrames);
}

// show returns what a panel shows: its frames, transformed, with display processors and links.
async function show(panel, answers, theme) {
  let shown = frames(panel, answers);
  const transformations = panel.transformations ?? [];
  await new Promise((complete, error) => {
    data.transformDataFrame(transformations, shown).subscribe({ next: (all) => { shown = all; }, complete, error });
  });
  const { fieldConfig } = panel;
  return data.applyFieldOverrides({
    data: shown, fieldConfig, fieldConfigRegistry: registry, replaceVariables: replace, theme, timeZone: 'utc',
  });
}

module.exports = { show };
