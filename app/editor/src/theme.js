// The editor's looks, in the page's own colours: custom properties reach into the shadow root.
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const looks = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'transparent', fontSize: 'var(--code-size)' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5', overflowX: 'hidden' },
  '.cm-content': { padding: '4px 0 40px', caretColor: 'var(--ink)' },
  '.cm-line': { padding: '0 8px 0 calc(6px + 3ch)', textIndent: '-3ch', overflowWrap: 'anywhere' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--selection)',
  },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--muted)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 4px 0 6px', minWidth: '24px' },
  '.breakpoints': { width: '14px', cursor: 'pointer', color: 'var(--ink)', fontSize: '10px' },
  '.breakpoints .cm-gutterElement': { textAlign: 'center', lineHeight: '1.9' },
  '.breakpoints .cm-gutterElement:hover': { backgroundColor: 'var(--soft)' },
  '.kept': { backgroundColor: 'var(--soft)', color: 'var(--muted)' },
  '.kept span': { color: 'inherit' },
  '.lit': { backgroundColor: 'var(--packet-soft)', boxShadow: 'inset 3px 0 0 var(--packet)' },
  '.kin': { backgroundColor: 'var(--selection)', boxShadow: 'inset 0 -2px 0 var(--edge)' },
  '.mark': { textDecoration: 'underline wavy 1px', textUnderlineOffset: '3px', textDecorationSkipInk: 'none' },
  '.mark-error': { textDecorationColor: 'var(--error)' },
  '.mark-warning': { textDecorationColor: 'var(--passed)' },
  '.mark-note': { textDecorationColor: 'var(--muted)', textDecorationStyle: 'dotted' },
  '.said': {
    fontFamily: 'var(--sans)',
    fontSize: '12px',
    lineHeight: '1.45',
    padding: '1px 8px 4px calc(6px + 3ch)',
  },
  '.said-error': { color: 'var(--error)' },
  '.said-warning': { color: 'var(--passed)' },
  '.said-note': { color: 'var(--muted)' },
  '.said-help': { color: 'var(--muted)' },
  '.cm-foldGutter': { minWidth: '14px' },
  '.cm-foldPlaceholder': { background: 'var(--soft)', border: '1px solid var(--line)', color: 'var(--muted)', padding: '0 6px' },
  '.covered': { padding: '0 2px', color: 'var(--muted)' },
  '.covered-held': { color: 'var(--held)' },
  '.covered-shadowed': { color: 'var(--passed)' },
  '.cm-tooltip': { background: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--edge)', borderRadius: '6px', maxWidth: '420px' },
  '.cm-tooltip .help': { padding: '6px 10px', fontFamily: 'var(--sans)', fontSize: '12.5px', lineHeight: '1.45' },
  '.cm-tooltip .help p': { margin: '0', overflowWrap: 'anywhere' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '14em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { minHeight: '24px', padding: '2px 8px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--selection)', color: 'var(--ink)' },
  '.cm-panels': { backgroundColor: 'var(--panel)', color: 'var(--ink)', borderColor: 'var(--line)' },
  '.cm-panels button, .cm-panels input': { font: 'inherit', backgroundImage: 'none', background: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '4px', minHeight: '24px' },
  '.cm-searchMatch': { backgroundColor: 'var(--soft)', outline: '1px solid var(--muted)' },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--muted)' },
  { tag: tags.keyword, color: 'var(--ink)', fontWeight: '600' },
  { tag: tags.typeName, color: 'var(--netfilter)' },
  { tag: [tags.number, tags.literal], color: 'var(--routing)' },
  { tag: tags.propertyName, color: 'var(--balancer)' },
  { tag: tags.string, color: 'var(--muted)' },
]);

export const theme = [looks, syntaxHighlighting(colours)];
