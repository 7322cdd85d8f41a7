// The changes that the mutation check makes: every limit, every time, and the `for` of every alert, as patches of
// _config by name.
local config = (import '../lib/settings.libsonnet')((import '../mixin.libsonnet')._config);

local leaves(object, path=[]) = std.flatMap(
  function(key)
    if std.isObject(object[key]) then leaves(object[key], path + [key])
    else if std.isNumber(object[key]) then [{ path: path + [key], value: object[key] }]
    else [],
  std.objectFields(object)
);

local patch(path, value) = std.foldr(function(key, inner) { [key]: inner }, path, value);

// moved changes each leaf by this amount in both directions. Cases are close to the limits, and times are evaluated in
// steps of a minute or more.
local moved(object, root, by) = {
  [std.join('.', [root] + leaf.path) + (if sign < 0 then ' lowered' else ' raised')]:
    patch([root] + leaf.path, leaf.value * (1 + sign * by))
  for leaf in leaves(object)
  if leaf.value != 0
  for sign in [-1, 1]
};

moved(config.thresholds, 'thresholds', 0.1)
+ moved(config.times, 'times', 0.5)
+ moved({ [name]: { 'for': config.alerts[name]['for'] } for name in std.objectFields(config.alerts) }, 'alerts', 0.5)
