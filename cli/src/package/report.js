// Reports to the learning platform what the page tells of a lesson or an exercise: completion and score, nothing else.
// The page keeps its progress in this browser, in lines that `app/src/pages/progress.rs` writes.
(() => {
  const { kind, item } = document.currentScript.dataset;
  const [page, name] = item.split('/');

  /** `null` until it is done; then the points, of a lesson 100. */
  function points() {
    let text = null;
    try {
      text = localStorage.getItem('northsouth.progress');
    } catch {
      return null;
    }
    for (const line of (text ?? '').split('\n')) {
      const [what, file, score] = line.split(' ');
      if (what === page && file === `${name}.md`) return what === 'lesson' ? 100 : Number(score);
    }
    return null;
  }

  /** The platform's object, in a window around this one or the one that opened it (SCORM 1.2 RTE, 3.3.6). */
  function find(start) {
    for (let at = start, depth = 0; at && depth < 20; depth += 1) {
      try {
        if (at.API) return at.API;
      } catch {
        return null;
      }
      if (at === at.parent) return null;
      at = at.parent;
    }
    return null;
  }

  const api = kind === 'scorm' ? find(window) ?? find(window.opener) : null;
  const launch = new URLSearchParams(location.search);
  let told = null;

  function tell(score) {
    if (api) {
      api.LMSSetValue('cmi.core.score.min', '0');
      api.LMSSetValue('cmi.core.score.max', '100');
      api.LMSSetValue('cmi.core.score.raw', String(score));
      api.LMSSetValue('cmi.core.lesson_status', page === 'lesson' ? 'completed' : 'passed');
      api.LMSCommit('');
    } else if (kind === 'xapi' && launch.get('endpoint')) {
      const verb = page === 'lesson' ? 'completed' : 'passed';
      fetch(`${launch.get('endpoint').replace(/\/?$/, '/')}statements`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'X-Experience-API-Version': '1.0.3',
          ...(launch.get('auth') && { Authorization: launch.get('auth') }),
        },
        body: JSON.stringify({
          actor: JSON.parse(launch.get('actor') ?? '{}'),
          verb: { id: `http://adlnet.gov/expapi/verbs/${verb}`, display: { 'en-US': verb } },
          object: { objectType: 'Activity', id: `urn:northsouth:${page}:${name}` },
          result: { completion: true, success: true, score: { scaled: score / 100, raw: score, min: 0, max: 100 } },
          ...(launch.get('registration') && { context: { registration: launch.get('registration') } }),
        }),
      });
    }
  }

  function look() {
    const score = points();
    if (score !== null && score !== told) {
      told = score;
      tell(score);
    }
  }

  if (api) {
    api.LMSInitialize('');
    if (['not attempted', ''].includes(api.LMSGetValue('cmi.core.lesson_status'))) {
      api.LMSSetValue('cmi.core.lesson_status', 'incomplete');
      api.LMSCommit('');
    }
    window.addEventListener('pagehide', () => {
      look();
      api.LMSFinish('');
    });
  }
  setInterval(look, 1000);
})();
