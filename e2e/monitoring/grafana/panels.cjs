// Shows panels as Grafana does, with Grafana's own library of data: transformations, overrides, display processors and
// links. It reads panels with the answers of Prometheus from standard input, as JSON, and writes what they show.
// The library expects a browser.
globalThis.navigator ??= { languages: ['en-GB'], language: 'en-GB' };
const data = require('@grafana/data');
globalThis.window ??= {}; // only now, because its dependencies look for it when they load

const { show } = require('./frames.cjs');

const theme = data.createTheme({ colors: { mode: 'dark' } });

function cellOf(field, row) {
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
  const frames = await show(panel, answers, theme);
  const columns = frames.flatMap((frame) => frame.fields.map((field) => ({
    name: field.name,
    title: data.getFieldDisplayName(field, frame, frames),
    hidden: Boolean(field.config.custom?.hidden && field.config.custom?.hideFrom?.viz),
    nothing: nothing(field.config),
    cells: table ? field.values.map((_, row) => cellOf(field, row)) : [],
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
