// The verdicts: their codes, and how they look. The order makes a maximum the
// worst verdict, and never hides a poor table behind an unreadable one.
local colors = { good: 'green', fair: 'yellow', unknown: 'purple', poor: 'red' };

{
  good: 0,
  fair: 1,
  unknown: 2,
  poor: 3,

  color:: colors,
  states:: [
    { value: $[verdict], text: verdict, color: colors[verdict] }
    for verdict in ['good', 'fair', 'unknown', 'poor']
  ],
}
