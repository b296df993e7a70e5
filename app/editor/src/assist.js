// Help while writing: what the page's model knows of the word under the cursor. It is asked, and decides nothing here.
//
// `ask` holds the page's answers to questions of a line: where it begins, its text, and a place in it. 'complete' →
// { from, options: [{ label, about }] } | null, 'describe' → string, 'define' → boolean, where true says that the page went
// there.
import { autocompletion, closeCompletion, completionKeymap } from '@codemirror/autocomplete';
import { Prec } from '@codemirror/state';
import { EditorView, hoverTooltip, keymap } from '@codemirror/view';
import { quoting, saidAt } from './marks.js';

function lines(...texts) {
  const box = document.createElement('div');
  box.className = 'help';
  for (const text of texts) {
    if (!text) continue;
    const line = document.createElement('p');
    line.append(...quoting(text));
    box.append(line);
  }
  return box;
}

// Nobody writes a longer line by hand.
const LONG = 16 * 1024;

function about(ask, question, { doc }, pos) {
  const line = doc.lineAt(pos);
  return line.length > LONG ? null : ask(question, line.from, line.text, pos - line.from);
}

const source = (ask) => (context) => {
  const found = about(ask, 'complete', context.state, context.pos);
  if (!found || found.options.length === 0) return null;
  const from = context.state.doc.lineAt(context.pos).from + found.from;
  if (!context.explicit && context.pos === from) return null;
  return {
    from,
    options: found.options.map(({ label, about: said }) => ({ label, info: said ? () => lines(said) : undefined })),
    // Typing on narrows what is there; a blank asks anew.
    validFor: /^[^\s:,"'[\]{}]*$/,
  };
};

const hover = (ask) =>
  hoverTooltip((view, pos) => {
    const said = saidAt(view.state, pos).flatMap(({ message, help }) => [message, help]);
    const word = about(ask, 'describe', view.state, pos);
    if (said.length === 0 && !word) return null;
    return { pos, above: true, create: () => ({ dom: lines(...said, word) }) };
  });

/** Completion, hover help, and the way to a definition by F12 or Ctrl and a click. */
export const assist = (ask) => [
  autocompletion({ override: [source(ask)], icons: false, defaultKeymap: false }),
  // Tab stays what leaves the text.
  Prec.highest(keymap.of(completionKeymap.filter(({ key }) => key !== 'Tab'))),
  keymap.of([{ key: 'F12', run: ({ state }) => about(ask, 'define', state, state.selection.main.head) === true, preventDefault: true }]),
  hover(ask),
  EditorView.domEventHandlers({
    mousedown(event, view) {
      if (!(event.ctrlKey || event.metaKey)) return false;
      const pos = view.posAtCoords({ x: event.clientX, y: event.clientY });
      return pos !== null && about(ask, 'define', view.state, pos) === true;
    },
    blur(_, view) {
      closeCompletion(view);
    },
  }),
];
