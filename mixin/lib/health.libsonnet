// The verdicts and their codes. The order makes a maximum the worst verdict,
// and never hides a poor table behind an unreadable one.
{
  good: 0,
  fair: 1,
  unknown: 2,
  poor: 3,
}
