// Folds: a table of iptables-save, the rules of a chain, a block of YAML or nft.
import { codeFolding, foldGutter, foldKeymap, foldService } from '@codemirror/language';
import { keymap } from '@codemirror/view';

const indent = (text) => text.length - text.trimStart().length;

/** The chain that a line appends to. */
const chain = (text) => /^(?:\[\d+:\d+\] )?-A (\S+)/.exec(text)?.[1];

/** Where what begins at this line ends; null where nothing does. */
function end(doc, line) {
  if (line.number === doc.lines) return null;
  const { text } = line;
  let last = null;
  const take = (goesOn) => {
    let from = line.to + 1;
    // By the iterator: a table of a dump has a hundred thousand lines.
    for (const next of doc.iterLines(line.number + 1)) {
      if (!goesOn(next)) break;
      if (next.trim() !== '') last = from + next.length;
      from += next.length + 1;
    }
  };
  if (text.startsWith('*')) take((next) => !next.startsWith('*'));
  else if (chain(text)) {
    const before = line.number > 1 ? chain(doc.line(line.number - 1).text) : null;
    if (before !== chain(text)) take((next) => chain(next) === chain(text));
  } else if (/[:{]\s*$/.test(text) || /^\s*- /.test(text)) {
    take((next) => next.trim() === '' || indent(next) > indent(text) || (text.trimEnd().endsWith(':') && !text.trimStart().startsWith('-') && indent(next) === indent(text) && next.trimStart().startsWith('- ')));
  }
  return last;
}

const service = foldService.of((state, from) => {
  const line = state.doc.lineAt(from);
  const to = end(state.doc, line);
  return to === null ? null : { from: line.to, to };
});

export const folding = [service, codeFolding(), foldGutter({ openText: '▾', closedText: '▸' }), keymap.of(foldKeymap)];
