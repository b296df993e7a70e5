// A line a story, failures with their reason, and the sum in one line.

function reason(error) {
  const cause = error?.cause ?? error;
  const offences = (cause?.offences ?? []).map((offence) => `\nthe page: ${offence}`);
  return `${cause?.stack ?? cause}${offences.join('')}`.replace(/^/gm, '          ');
}

export default async function* report(source) {
  const count = { passed: 0, failed: 0 };
  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    const seconds = () => (data.details.duration_ms / 1000).toFixed(1);
    // A file is reported as a test too: it counts only if it fails by itself (it does not load, say).
    if (type === 'test:pass' && !data.name.endsWith('.mjs')) {
      count.passed += 1;
      yield `  ok      ${data.name} (${seconds()} s)\n`;
    }
    if (type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed') {
      count.failed += 1;
      yield `  FAILED  ${data.name} (${seconds()} s)\n${reason(data.details.error)}\n`;
    }
  }
  yield `stories: ${count.passed} passed, ${count.failed} failed\n`;
}
