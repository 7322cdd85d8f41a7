// The verdicts: their codes and their colours. In this order a maximum is the worst verdict, and an unreadable
// table never hides a poor one.
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
