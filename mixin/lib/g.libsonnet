// The few pieces of Grafana's dashboard JSON (the classic model) that the mixin
// uses. Constructors return plain objects; refine them with `+`.
local gridWidth = 24;

// flow places panels left to right, wraps at the grid's width, and numbers them.
local flow(panels) =
  local place(acc, p) =
    local wrap = acc.x + p._size.w > gridWidth;
    local x = if wrap then 0 else acc.x;
    local y = if wrap then acc.y + acc.height else acc.y;
    acc {
      x: x + p._size.w,
      y: y,
      height: if wrap then p._size.h else std.max(acc.height, p._size.h),
      done+: [p { id: std.length(acc.done) + 1, gridPos: p._size { x: x, y: y } }],
    };
  std.foldl(place, panels, { x: 0, y: 0, height: 0, done: [] }).done;

{
  local g = self,

  datasource:: { type: 'prometheus', uid: '${datasource}' },

  // --- dashboard ---------------------------------------------------------

  dashboard(title, uid, description, variables, panels)::
    assert std.length(uid) <= 40 : 'uid longer than 40 characters: ' + uid;
    {
      title: title,
      uid: uid,
      description: description,
      tags: [],
      panels: flow(panels),
      templating: { list: [g.datasourceVariable] + variables },
      annotations: { list: [] },
      links: [],
      schemaVersion: 39,
      editable: false,
      graphTooltip: 1,  // shared crosshair
      time: { from: 'now-24h', to: 'now' },
      timepicker: {},
    },

  // withAnnotation marks the graphs wherever expr returns a series.
  withAnnotation(name, expr, title):: {
    annotations+: { list+: [{
      name: name,
      datasource: g.datasource,
      enable: true,
      hide: false,
      iconColor: 'red',
      expr: expr,
      titleFormat: title,
      step: '60s',
      useValueForTime: false,
    }] },
  },

  // withTagLinks adds a drop-down of every dashboard that carries the tag.
  withTagLinks(title, tag):: {
    links+: [g._link(title, '') { type: 'dashboards', tags: [tag], asDropdown: true, includeVars: true, icon: 'external link' }],
  },

  // withLink adds a link, unless its url is empty.
  withLink(title, url):: {
    links+: if url == '' then [] else [g._link(title, url) { type: 'link', targetBlank: true, icon: 'doc' }],
  },

  _link(title, url):: {
    title: title,
    url: url,
    tags: [],
    asDropdown: false,
    includeVars: false,
    keepTime: true,
    targetBlank: false,
    tooltip: '',
  },

  // --- variables ---------------------------------------------------------

  datasourceVariable:: {
    type: 'datasource',
    name: 'datasource',
    label: 'Data source',
    query: 'prometheus',
    regex: '',
    refresh: 1,
    hide: 0,
    includeAll: false,
    multi: false,
    options: [],
    current: { selected: true, text: 'default', value: 'default' },
  },

  // labelVariable offers the values of a label on a series.
  labelVariable(name, series, label, multi=true):: {
    local query = 'label_values(%s, %s)' % [series, name],
    type: 'query',
    name: name,
    label: label,
    datasource: g.datasource,
    definition: query,
    query: { query: query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
    regex: '',
    refresh: 2,  // on time range change
    sort: 1,  // alphabetical
    hide: 0,
    multi: multi,
    includeAll: multi,
    [if multi then 'allValue']: '.*',
    options: [],
    current: if multi then { selected: true, text: ['All'], value: ['$__all'] } else {},
  },

  // --- queries -----------------------------------------------------------

  query(expr, legend='__auto'):: {
    datasource: g.datasource,
    expr: expr,
    legendFormat: legend,
    range: true,
    instant: false,
  },

  // now asks for the value at the end of the time range only.
  now(expr, legend='__auto'):: g.query(expr, legend) { range: false, instant: true },

  // tableQuery returns one row per series, at the end of the time range; column
  // is the name by which a column refers to its value.
  tableQuery(expr, column):: {
    datasource: g.datasource,
    expr: expr,
    format: 'table',
    refId: column,
    range: false,
    instant: true,
  },

  // --- panels ------------------------------------------------------------

  panel(type, title, description, queries):: {
    _size:: { w: 12, h: 8 },
    type: type,
    title: title,
    description: description,
    datasource: g.datasource,
    targets: [
      { refId: std.char(std.codepoint('A') + i) } + queries[i]
      for i in std.range(0, std.length(queries) - 1)
    ],
    fieldConfig: { defaults: { unit: 'short' }, overrides: [] },
    options: {},
  },

  row(title):: {
    _size:: { w: gridWidth, h: 1 },
    type: 'row',
    title: title,
    collapsed: false,
    panels: [],
  },

  text(title, description, markdown):: {
    _size:: { w: 8, h: 8 },
    type: 'text',
    title: title,
    description: description,
    options: { mode: 'markdown', content: markdown },
  },

  timeseries(title, description, queries):: g.panel('timeseries', title, description, queries) {
    fieldConfig+: { defaults+: {
      min: 0,
      color: { mode: 'palette-classic' },
      custom: {
        drawStyle: 'line',
        lineWidth: 1,
        fillOpacity: 10,
        showPoints: 'never',
        spanNulls: false,
        stacking: { mode: 'none', group: 'A' },
        thresholdsStyle: { mode: 'off' },
      },
    } },
    options: {
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  },

  stat(title, description, queries):: g.panel('stat', title, description, queries) {
    _size:: { w: 4, h: 4 },
    fieldConfig+: { defaults+: { color: { mode: 'thresholds' } } },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: 'background',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      textMode: 'auto',
      wideLayout: true,
      showPercentChange: false,
    },
  },

  bargauge(title, description, queries):: g.panel('bargauge', title, description, queries) {
    _size:: { w: 12, h: 12 },
    fieldConfig+: { defaults+: { min: 0, color: { mode: 'thresholds' } } },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      displayMode: 'basic',
      orientation: 'horizontal',
      valueMode: 'color',
      namePlacement: 'top',
      showUnfilled: true,
      sizing: 'auto',
      minVizHeight: 24,
      minVizWidth: 8,
      maxVizHeight: 40,
    },
  },

  // stateTimeline shows a discrete value per series; colour it with mappings.
  stateTimeline(title, description, queries):: g.panel('state-timeline', title, description, queries) {
    fieldConfig+: { defaults+: { color: { mode: 'thresholds' }, custom: { fillOpacity: 70, lineWidth: 0, spanNulls: false } } },
    options: {
      mergeValues: true,
      showValue: 'never',
      alignValue: 'left',
      rowHeight: 0.5,
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'single', sort: 'none' },
    },
  },

  // table joins instant queries on the labels that they share. columns lists, in order, the labels and query names
  // to show: { field, title, unit?, width?, decimals?, mappings?, steps?, links? }. Labels that only a link needs are kept as
  // hidden columns: Grafana resolves a link from the fields of its row.
  table(title, description, queries, columns, sortBy=null)::
    local shown = [g._sourceName(c, queries) for c in columns];
    local linked = std.set(std.flatMap(function(c) std.flatMap(g._fieldsOf, std.get(c, 'links', [])), columns));
    local hidden = std.setDiff(linked, std.set(shown));
    g.panel('table', title, description, queries) {
      _size:: { w: gridWidth, h: 10 },
      fieldConfig: {
        defaults: { unit: 'short', custom: { align: 'auto', filterable: true, cellOptions: { type: 'auto' } } },
        overrides: [
          { matcher: { id: 'byName', options: c.title }, properties: g._columnProperties(c, queries) }
          for c in columns
          if g._columnProperties(c, queries) != []
        ] + [
          // The first hides a column until Grafana 12.1, the second from then on.
          { matcher: { id: 'byName', options: label }, properties: [
            { id: 'custom.hidden', value: true },
            { id: 'custom.hideFrom.viz', value: true },
            { id: 'noValue', value: '' },
          ] }
          for label in hidden
        ],
      },
      options: {
        showHeader: true,
        cellHeight: 'sm',
        footer: { show: false, reducer: ['sum'], fields: '' },
        [if sortBy != null then 'sortBy']: [{ displayName: sortBy, desc: true }],
      },
      transformations: [
        { id: 'merge', options: {} },
        { id: 'filterFieldsByName', options: { include: { names: shown + hidden } } },
        { id: 'organize', options: {
          indexByName: { [(shown + hidden)[i]]: i for i in std.range(0, std.length(shown + hidden) - 1) },
          renameByName: { [g._sourceName(c, queries)]: c.title for c in columns },
          excludeByName: {},
        } },
      ],
    },

  // field refers in a link to a field of its row.
  field(name, format=':percentencode'):: '${__data.fields.%s%s}' % [name, format],

  // _fieldsOf returns the fields to which a link refers.
  _fieldsOf(link):: [
    std.split(std.split(part, '}')[0], ':')[0]
    for part in std.split(link.url, '${__data.fields.')[1:]
  ],

  _isValue(column, queries):: std.length([q for q in queries if q.refId == column.field]) > 0,

  // Grafana names the value of table query X "Value #X" when there are several.
  _sourceName(column, queries)::
    if !g._isValue(column, queries) then column.field
    else if std.length(queries) == 1 then 'Value'
    else 'Value #' + column.field,

  _columnProperties(c, queries)::
    [{ id: key, value: c[key] } for key in ['unit', 'decimals'] if std.objectHas(c, key)] +
    // In a link, an empty label is empty, whatever the panel says if it has no rows.
    [{ id: 'noValue', value: '' } for _ in [0] if !g._isValue(c, queries)] +
    [{ id: 'custom.width', value: c.width } for _ in [0] if std.objectHas(c, 'width')] +
    // A cell without a value would have the colour of the lowest step.
    [
      { id: 'mappings', value: std.get(c, 'mappings', []) + g.nothingMapping('–', 'transparent') }
      for _ in [0]
      if g._isValue(c, queries)
    ] +
    (if std.objectHas(c, 'steps') then [{ id: 'thresholds', value: { mode: 'absolute', steps: c.steps } }] else []) +
    (if std.objectHas(c, 'mappings') || std.objectHas(c, 'steps') then [
       { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
     ] else []) +
    (if std.objectHas(c, 'links') then [{ id: 'links', value: [link { targetBlank: false } for link in c.links] }] else []),

  // --- refinements, added to a panel with + -------------------------------

  // nameOnly shows the name of the series, not its value.
  nameOnly:: { options+: { textMode: 'name' } },
  // signed shows values below zero, as bars.
  signed:: { fieldConfig+: { defaults+: { min:: null, custom+: { drawStyle: 'bars', fillOpacity: 60, lineWidth: 0 } } } },
  // minInterval is the least distance of two points.
  minInterval(interval):: { interval: interval },
  size(w, h):: { _size:: { w: w, h: h } },
  unit(unit):: { fieldConfig+: { defaults+: { unit: unit } } },
  max(max):: { fieldConfig+: { defaults+: { max: max } } },
  stacked:: { fieldConfig+: { defaults+: { custom+: { fillOpacity: 15, stacking: { mode: 'normal', group: 'A' } } } } },
  decimals(n):: { fieldConfig+: { defaults+: { decimals: n } } },
  mappings(m):: { fieldConfig+: { defaults+: { mappings+: m } } },
  // noRows says what a table without rows means.
  noRows(text):: { fieldConfig+: { defaults+: { noValue: text } } },
  // noValue says what no value means. Without the mapping, the text would have the colour of the lowest step.
  noValue(text):: { fieldConfig+: { defaults+: { noValue: text, mappings+: g.nothingMapping(text, '#6e7280') } } },
  nothingMapping(text, color):: [{ type: 'special', options: { match: 'null+nan', result: { text: text, color: color, index: 100 } } }],

  // override changes the series of a name.
  override(name, properties):: { fieldConfig+: { overrides+: [{
    matcher: { id: 'byName', options: name },
    properties: [{ id: key, value: properties[key] } for key in std.objectFields(properties)],
  }] } },

  // band fills the space between two series, which have no lines of their own.
  band(low, high)::
    local edge = { 'custom.lineWidth': 0, 'custom.fillOpacity': 0, 'custom.hideFrom': { legend: true, tooltip: false, viz: false }, color: { mode: 'fixed', fixedColor: 'blue' } };
    g.override(low, edge) + g.override(high, edge { 'custom.fillBelowTo': low, 'custom.fillOpacity': 25 }),

  // thresholds colours by steps; style 'line' draws them into a graph as well.
  thresholds(steps, style='off'):: {
    fieldConfig+: { defaults+: {
      thresholds: { mode: 'absolute', steps: steps },
      [if style != 'off' then 'custom']+: { thresholdsStyle: { mode: style } },
    } },
  },

  // steps returns a base colour, and others from a value on.
  steps(base, others):: [{ color: base, value: null }] + others,
  step(color, value):: { color: color, value: value },

  // valueMappings names and colours discrete values: [{ value, text, color }].
  valueMappings(states):: [{
    type: 'value',
    options: {
      ['%d' % states[i].value]: { text: states[i].text, color: states[i].color, index: i }
      for i in std.range(0, std.length(states) - 1)
    },
  }],
}
