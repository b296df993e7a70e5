// Lines that an exercise keeps as they are: grey, and a change of them is refused with the reason, which is shown at the
// cursor and said to screen readers. The page says which lines, anew after each edit.
import { StateEffect, StateField, EditorState } from '@codemirror/state';
import { Decoration, EditorView, showTooltip } from '@codemirror/view';

/** { said, kept: [{ from, to, before, after }] }: lines from 1, and whether something may be written beside them. */
export const setLocks = StateEffect.define();
const refuse = StateEffect.define();

const NONE = { said: '', kept: [], grey: Decoration.none, whole: false, told: null };

function greyed(kept, doc) {
  const lines = [];
  for (const { from, to } of kept) {
    for (let at = from; at <= to; ) {
      const line = doc.lineAt(at);
      lines.push(Decoration.line({ class: 'kept' }).range(line.from));
      at = line.to + 1;
    }
  }
  return Decoration.set(lines, true);
}

/** Whether the lines still stand as they are, each run of them whole, and nothing is beside it that may not be. */
function holds({ from, to, before, after }, { state, changes, newDoc }) {
  const [start, end] = [changes.mapPos(from, 1), changes.mapPos(to, -1)];
  if (end < start || state.sliceDoc(from, to) !== newDoc.sliceString(start, end)) return false;
  const [first, last] = [newDoc.lineAt(start), newDoc.lineAt(end)];
  if (first.from !== start || last.to !== end) return false;
  const blank = (a, b) => newDoc.sliceString(a, b).trim() === '';
  return (before || from > 0 || blank(0, start)) && (after || blank(end, newDoc.length));
}

const field = StateField.define({
  create: () => NONE,
  update(value, transaction) {
    let next = value;
    if (transaction.docChanged) {
      const moved = next.kept.map((run) => ({
        ...run,
        from: transaction.changes.mapPos(run.from, 1),
        to: transaction.changes.mapPos(run.to, -1),
      }));
      next = { ...next, kept: moved.filter(({ from, to }) => from <= to), grey: next.grey.map(transaction.changes) };
    }
    const { doc } = transaction.state;
    for (const effect of transaction.effects) {
      if (effect.is(setLocks)) {
        const { said, kept } = effect.value;
        const runs = kept.filter(({ to }) => to <= doc.lines);
        const places = runs.map((run) => ({ ...run, from: doc.line(run.from).from, to: doc.line(run.to).to }));
        next = {
          said,
          kept: places,
          grey: greyed(places, doc),
          whole: kept.length === 1 && kept[0].from === 1 && !kept[0].before && !kept[0].after,
          told: next.told,
        };
      }
    }
    const refused = transaction.effects.find((effect) => effect.is(refuse));
    if (refused) next = { ...next, told: refused.value };
    else if (next.told !== null && (transaction.docChanged || transaction.selection)) next = { ...next, told: null };
    return next;
  },
  provide: (f) => [
    EditorView.decorations.from(f, ({ grey }) => grey),
    showTooltip.from(f, ({ told, said }) => (told === null ? null : { pos: told, above: true, create: () => ({ dom: reason(said) }) })),
    EditorView.contentAttributes.from(f, ({ whole, said, kept }) => ({
      ...(whole ? { 'aria-readonly': 'true' } : {}),
      ...(kept.length > 0 ? { 'aria-description': said } : {}),
    })),
  ],
});

function reason(said) {
  const box = document.createElement('div');
  box.className = 'help';
  const line = document.createElement('p');
  line.textContent = said;
  box.append(line);
  return box;
}

const allowed = (state, changes) => {
  const seen = { state, changes, newDoc: changes.apply(state.doc) };
  return state.field(field).kept.every((run) => holds(run, seen));
};

const refusal = (state) => [refuse.of(state.selection.main.head), EditorView.announce.of(state.field(field).said)];

/** `isFromPage(transaction)`: what the page itself changes is not refused. */
export const locks = (isFromPage) => [
  field,
  EditorState.transactionFilter.of((transaction) => {
    if (!transaction.docChanged || isFromPage(transaction)) return transaction;
    const state = transaction.startState;
    return allowed(state, transaction.changes) ? transaction : { effects: refusal(state) };
  }),
  // Before the browser writes into the page by itself, which would have to be undone.
  EditorView.domEventHandlers({
    beforeinput(event, view) {
      const { state } = view;
      if (!event.cancelable || !event.inputType.startsWith('insert')) return false;
      const insert = state.toText(event.data ?? '\n');
      if (allowed(state, state.changes(state.selection.ranges.map(({ from, to }) => ({ from, to, insert }))))) return false;
      view.dispatch({ effects: refusal(state) });
      event.preventDefault();
      return true;
    },
  }),
];
