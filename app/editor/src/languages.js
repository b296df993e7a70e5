// Colours for the texts of the real tools. Colours only: what a text means is the model's to say.
import { StreamLanguage } from '@codemirror/language';

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{0,4}(?::[\da-f]{0,4}){2,7})(?:[/:]\d+)?(?![\w.])/i;
const NUMBER = /^(?:0x[\da-f]+|\d+[KMG]?)(?![\w.-])/i;
const WORD = /^[^\s,:[\]{}"'/]+/;

/** Whether the stream ate a blank, an address, a number or a quoted string; `[true, token]` where it did. */
function common(stream) {
  if (stream.eatSpace()) return [true, null];
  if (stream.match(ADDRESS) || stream.match(NUMBER)) return [true, 'number'];
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return [true, 'string'];
  return [false, null];
}

// iptables-save, iptables -S and iptables -L.
const iptables = StreamLanguage.define({
  startState: () => ({ chain: false }),
  token(stream, state) {
    if (stream.sol()) {
      state.chain = false;
      if (stream.match(/^#.*/)) return 'comment';
      if (stream.match(/^\*\w+/) || stream.match(/^COMMIT/)) return 'keyword';
      if (stream.match(/^:[^\s]+/)) return 'typeName';
      if (stream.match(/^Chain /)) {
        state.chain = true;
        return 'keyword';
      }
    }
    if (stream.match(/^\/\*.*?\*\//)) return 'comment';
    const [done, token] = common(stream);
    if (done) return token;
    if (state.chain) {
      state.chain = false;
      stream.match(/^\S+/);
      return 'typeName';
    }
    if (stream.match(/^(?:-A|-I|-N|-P|-j|-g|--jump|--goto|--append)(?=\s)/)) {
      state.chain = true;
      return null;
    }
    if (stream.match(/^--?[\w-]+/)) return null;
    if (stream.match(/^(?:KUBE|FLANNEL|ISTIO|CNI)[\w-]*/)) return 'typeName';
    if (!stream.match(WORD)) stream.next();
    return null;
  },
});

const ROUTE_WORDS = /^(?:default|via|dev|src|proto|scope|metric|table|lookup|from|to|inet6?|link\/ether|master|unreachable|blackhole|prohibit|throw|local|broadcast)(?![\w-])/;

// ip, brctl, bridge and kubectl's tables.
const listing = StreamLanguage.define({
  token(stream) {
    if (stream.sol() && stream.match(/^#.*/)) return 'comment';
    if (stream.sol() && stream.match(/^[A-Z][A-Z -]+(?:\s{2,}|$)/)) return 'comment';
    const [done, token] = common(stream);
    if (done) return token;
    if (stream.match(ROUTE_WORDS)) return 'propertyName';
    if (!stream.match(WORD)) stream.next();
    return null;
  },
});

const yaml = StreamLanguage.define({
  token(stream) {
    if (stream.match(/^#.*/)) return 'comment';
    if (stream.sol() && stream.match(/^---.*/)) return 'keyword';
    if (stream.match(/^\s*(?:- +)*[\w./-]+(?=:(?:\s|$))/)) return 'propertyName';
    const [done, token] = common(stream);
    if (done) return token;
    if (stream.match(/^'(?:[^']|'')*'?/)) return 'string';
    if (!stream.match(WORD)) stream.next();
    return null;
  },
});

const NFT_WORDS = /^(?:table|chain|set|map|type|hook|priority|policy|flags|elements|counter|meta|ct|ip6?|tcp|udp|th|icmp|fib|numgen|accept|drop|return|jump|goto|reject|dnat|snat|masquerade|redirect|vmap|comment|mark|state|saddr|daddr|sport|dport|iifname|oifname)(?![\w-])/;

const nft = StreamLanguage.define({
  token(stream) {
    if (stream.match(/^#.*/)) return 'comment';
    const [done, token] = common(stream);
    if (done) return token;
    if (stream.match(NFT_WORDS)) return 'propertyName';
    if (stream.match(/^@[\w-]+/)) return 'typeName';
    if (!stream.match(WORD)) stream.next();
    return null;
  },
});

const KINDS = { iptables, listing, yaml, nft };

/** The highlighting for a kind of text; none for one that has none. */
export function language(kind) {
  return KINDS[kind] ?? [];
}
