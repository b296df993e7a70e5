// Help while writing: what the page's model knows of the word under the cursor. It is asked, and decides nothing here.
//
// `ask` holds the page's answers: complete(offset) → { from, to, options: [{ label, about }] } | null,
// describe(offset) → string, define(offset) → boolean, where true says that the page went there.
import { autocompletion, closeCompletion, completionKeymap } from '@codemirror/autocomplete';
import { Prec } from '@codemirror/state';
import { EditorView, hoverTooltip, keymap } from '@codemirror/view';
import { saidAt } from './marks.js';

function lines(...texts) {
  const box = document.createElement('div');
  box.className = 'help';
  for (const text of texts) {
    if (!text) continue;
    const line = document.createElement('p');
    line.textContent = text;
    box.append(line);
  }
  return box;
}

// The page answers for the whole text, so while a longer one is typed or pointed at it is not asked.
const LONG = 512 * 1024;

const source = (ask) => (context) => {
  if (!context.explicit && context.state.doc.length > LONG) return null;
  const found = ask('complete', context.pos);
  if (!found || found.options.length === 0) return null;
  if (!context.explicit && context.pos === found.from) return null;
  return {
    from: found.from,
    options: found.options.map(({ label, about }) => ({ label, info: about ? () => lines(about) : undefined })),
    // Typing on narrows what is there; a blank asks anew.
    validFor: /^[^\s:,"'[\]{}]*$/,
  };
};

const hover = (ask) =>
  hoverTooltip((view, pos) => {
    const said = saidAt(view.state, pos).flatMap(({ message, help }) => [message, help]);
    const about = view.state.doc.length > LONG ? '' : ask('describe', pos);
    if (said.length === 0 && !about) return null;
    return { pos, above: true, create: () => ({ dom: lines(...said, about) }) };
  });

/** Completion, hover help, and the way to a definition by F12 or Ctrl and a click. */
export const assist = (ask) => [
  autocompletion({ override: [source(ask)], icons: false, defaultKeymap: false }),
  // Tab stays what leaves the text.
  Prec.highest(keymap.of(completionKeymap.filter(({ key }) => key !== 'Tab'))),
  keymap.of([{ key: 'F12', run: ({ state }) => ask('define', state.selection.main.head) === true, preventDefault: true }]),
  hover(ask),
  EditorView.domEventHandlers({
    mousedown(event, view) {
      if (!(event.ctrlKey || event.metaKey)) return false;
      const pos = view.posAtCoords({ x: event.clientX, y: event.clientY });
      return pos !== null && ask('define', pos) === true;
    },
    blur(_, view) {
      closeCompletion(view);
    },
  }),
];
