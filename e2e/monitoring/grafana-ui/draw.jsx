// Draws a dashboard with Grafana's own components. Tables and state timelines are no published components; they are
// drawn plainly, with Grafana's display processors.
import { createRoot } from 'react-dom/client';
import * as data from '@grafana/data';
import * as ui from '@grafana/ui';
import uplot from 'uplot/dist/uPlot.min.css';
import { show } from '../grafana/frames.cjs';

const theme = data.createTheme({ colors: { mode: window.theme } });
const { from, to } = { from: window.picture.From, to: window.picture.To };
const range = { from: data.dateTime(from), to: data.dateTime(to), raw: { from: 'now-1m', to: 'now' } };
const width = 1500;
const cell = { w: width / 24, h: 38 };
const nothing = <div style={{ display: 'grid', placeItems: 'center', height: '100%', color: theme.colors.text.secondary }}>No data</div>;

function values(panel, shown) {
  return data.getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text,
    theme, data: shown, timeZone: 'utc',
  });
}

function Stat({ panel, shown, size }) {
  const all = values(panel, shown);
  return <div style={{ display: 'flex' }}>{all.map((value, i) =>
    <ui.BigValue key={i} theme={theme} width={size.width / all.length} height={size.height} value={value.display}
      colorMode={panel.options.colorMode} graphMode="none" justifyMode="auto"
      textMode={panel.options.textMode === 'auto' && all.length === 1 ? 'value' : panel.options.textMode} />)}</div>;
}

function Bars({ panel, shown, size }) {
  const all = values(panel, shown);
  const height = Math.min(panel.options.maxVizHeight, Math.max(panel.options.minVizHeight, size.height / all.length));
  return all.map((value, i) => <ui.BarGauge key={i} theme={theme} width={size.width} height={height - 3} value={value.display}
    field={value.field} display={value.view?.getFieldDisplayProcessor?.(value.colIndex)} orientation="horizontal"
    namePlacement={panel.options.namePlacement} displayMode="basic" valueDisplayMode="color" showUnfilled alignmentFactors={data.getDisplayValueAlignmentFactors(all)} />);
}

function Graph({ panel, shown, size }) {
  if (!shown.some((frame) => frame.length)) return nothing;
  return <ui.TimeSeries frames={shown} timeRange={range} timeZone="utc" width={size.width} height={size.height}
    structureRev={1} legend={panel.options.legend} options={panel.options} replaceVariables={(text) => text} />;
}

function Table({ panel, shown }) {
  const frame = shown[0];
  if (!frame?.length) return <div style={{ padding: 12 }}>{panel.fieldConfig.defaults.noValue ?? 'No data'}</div>;
  const fields = frame.fields.filter((field) => !field.config.custom?.hidden);
  let rows = [...Array(frame.length).keys()];
  const sort = panel.options.sortBy?.[0];
  const key = sort && fields.find((field) => data.getFieldDisplayName(field, frame) === sort.displayName);
  if (key) rows.sort((a, b) => (key.values[b] ?? -1) - (key.values[a] ?? -1));
  const line = `1px solid ${theme.colors.border.weak}`;
  return <table style={{ width: '100%', borderCollapse: 'collapse', fontSize: 13 }}><tbody>
    <tr>{fields.map((field, i) => <th key={i} style={{ textAlign: 'left', padding: '3px 6px', borderBottom: line, width: field.config.custom?.width }}>
      {data.getFieldDisplayName(field, frame)}</th>)}</tr>
    {rows.map((row) => <tr key={row}>{fields.map((field, i) => {
      const display = field.display(field.values[row]);
      const filled = field.config.custom?.cellOptions?.type === 'color-background';
      const linked = field.config.links?.length > 0;
      const clear = !display.color || display.color === '#00000000' || display.color === 'rgba(0,0,0,0)';
      return <td key={i} style={{ padding: '3px 6px', borderBottom: line, whiteSpace: 'nowrap', overflow: 'hidden',
        background: filled && !clear ? display.color : undefined,
        color: filled && !clear ? theme.colors.getContrastText(display.color) : linked ? theme.colors.text.link : undefined,
        textAlign: field.type === 'number' && !filled ? 'right' : 'left' }}>{data.formattedValueToString(display)}</td>;
    })}</tr>)}
  </tbody></table>;
}

function Timeline({ shown, size, panel }) {
  if (!shown.some((frame) => frame.length)) return nothing;
  const height = Math.min(size.height / shown.length, 60) * (panel.options.rowHeight ?? 0.9);
  return shown.map((frame, i) => {
    const [times, field] = frame.fields;
    return <div key={i} style={{ display: 'flex', alignItems: 'center', margin: '4px 0' }}>
      <div style={{ width: 220, fontSize: 12, overflow: 'hidden', whiteSpace: 'nowrap' }}>{data.getFieldDisplayName(field, frame, shown)}</div>
      <div style={{ position: 'relative', flex: 1, height }}>{times.values.map((time, row) => <div key={row} style={{
        position: 'absolute', height, left: `${100 * (time - from) / (to - from)}%`, width: `${100 * 1000 / (to - from) + 0.05}%`,
        background: field.display(field.values[row]).color }} />)}</div>
    </div>;
  });
}

const kinds = { stat: Stat, bargauge: Bars, timeseries: Graph, table: Table, 'state-timeline': Timeline };

function Panel({ panel, shown }) {
  const { x, y, w, h } = panel.gridPos;
  const place = { position: 'absolute', left: x * cell.w + 4, top: y * cell.h + 4 };
  if (panel.type === 'row') return <h3 style={{ ...place, margin: 0 }}>{panel.title}</h3>;
  const Kind = kinds[panel.type];
  return <div style={place}><ui.PanelChrome title={panel.title} width={w * cell.w - 8} height={h * cell.h - 8} padding="sm">
    {(innerWidth, innerHeight) => Kind
      ? <Kind panel={panel} shown={shown} size={{ width: innerWidth, height: innerHeight }} />
      : <pre style={{ whiteSpace: 'pre-wrap', fontSize: 11 }}>{panel.options.content}</pre>}
  </ui.PanelChrome></div>;
}

async function main() {
  const panels = await Promise.all(window.picture.panels.map(async ({ panel, answers }) => {
    if (!answers?.length) return { panel, shown: [] };
    return { panel, shown: await show(panel, answers, theme) };
  }));
  const bottom = Math.max(...panels.map(({ panel }) => panel.gridPos.y + panel.gridPos.h));
  document.body.style.background = theme.colors.background.canvas;
  createRoot(document.getElementById('root')).render(<data.ThemeContext.Provider value={theme}>
    <style>{uplot}</style>
    <div style={{ position: 'relative', width, height: bottom * cell.h + 8, color: theme.colors.text.primary, fontFamily: 'sans-serif' }}>
      {panels.map((one, i) => <Panel key={i} {...one} />)}
    </div>
  </data.ThemeContext.Provider>);
}
main();
