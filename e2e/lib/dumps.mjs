// Long texts, as the real tools print them of a large cluster.

const ip = (net, at) => `10.${net}.${at >> 8}.${at & 255}`;
const letters = (at) => at.toString(32).toUpperCase().padStart(16, '0');

/** What kube-proxy writes for so many Services, as `iptables-save` prints it: five rules each. */
export function iptables(services) {
  const chains = [];
  const rules = [];
  for (let at = 0; at < services; at += 1) {
    const [svc, sep, of] = [`KUBE-SVC-${letters(at)}`, `KUBE-SEP-${letters(at)}`, `-m comment --comment "ns/service-${at}:http"`];
    chains.push(`:${svc} - [0:0]`, `:${sep} - [0:0]`);
    rules.push(
      `-A KUBE-SERVICES -d ${ip(96, at)}/32 -p tcp ${of} -m tcp --dport 80 -j ${svc}`,
      `-A ${svc} ! -s 10.244.0.0/16 -d ${ip(96, at)}/32 -p tcp ${of} -m tcp --dport 80 -j KUBE-MARK-MASQ`,
      `-A ${svc} ${of} -j ${sep}`,
      `-A ${sep} -s ${ip(244, at)}/32 ${of} -j KUBE-MARK-MASQ`,
      `-A ${sep} -p tcp ${of} -m tcp -j DNAT --to-destination ${ip(244, at)}:8080`,
    );
  }
  return [
    '*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]',
    ':KUBE-MARK-MASQ - [0:0]', ':KUBE-SERVICES - [0:0]', ...chains,
    '-A PREROUTING -j KUBE-SERVICES', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000', ...rules, 'COMMIT', '',
  ].join('\n');
}

/** The same Services by kube-proxy's mode nftables, as `nft list ruleset` prints it: a map of them all, two chains each. */
export function nftables(services) {
  const elements = [];
  const chains = [];
  for (let at = 0; at < services; at += 1) {
    const name = `${letters(at).slice(8)}-ns/service-${at}/tcp/http`;
    elements.push(`\t\t\t     ${ip(96, at)} . tcp . 80 : goto service-${name}`);
    chains.push(
      `\tchain service-${name} {`,
      `\t\tip daddr ${ip(96, at)} tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade`,
      `\t\tnumgen random mod 1 vmap { 0 : goto endpoint-${name}__${ip(244, at)}/8080 }`,
      '\t}', '',
      `\tchain endpoint-${name}__${ip(244, at)}/8080 {`,
      `\t\tip saddr ${ip(244, at)} jump mark-for-masquerade`,
      `\t\tmeta l4proto tcp dnat to ${ip(244, at)}:8080`,
      '\t}', '',
    );
  }
  return [
    'table ip kube-proxy {', '\tmap service-ips {', '\t\ttype ipv4_addr . inet_proto . inet_service : verdict',
    `\t\telements = {\n${elements.join(',\n')} }`, '\t}', '',
    '\tchain mark-for-masquerade {', '\t\tmeta mark set meta mark | 0x00004000', '\t}', '',
    '\tchain nat-prerouting {', '\t\ttype nat hook prerouting priority dstnat; policy accept;', '\t\tjump services', '\t}', '',
    '\tchain services {', '\t\tip daddr . meta l4proto . th dport vmap @service-ips', '\t}', '',
    ...chains, '}', '',
  ].join('\n');
}

/** Sets of addresses as `ipset save` prints them. */
export function ipset(members) {
  const lines = ['create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 65536 maxelem 1048576'];
  for (let at = 0; at < members; at += 1) lines.push(`add KUBE-CLUSTER-IP ${ip(at >> 16, at & 65535)},tcp:80`);
  return `${lines.join('\n')}\n`;
}

const service = (at) => `apiVersion: v1
kind: Service
metadata:
  name: service-${at}
  namespace: default
spec:
  clusterIP: ${ip(96, at)}
  selector:
    app: service-${at}
  ports:
  - name: http
    port: 80
    protocol: TCP
    targetPort: 8080
`;

const slice = (at) => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: service-${at}-x
  namespace: default
  labels:
    kubernetes.io/service-name: service-${at}
addressType: IPv4
endpoints:
- addresses:
  - ${ip(244, at)}
  conditions:
    ready: true
ports:
- name: http
  port: 8080
  protocol: TCP
`;

/** So many Services, each with an endpoint: documents, or the items of one List. */
export function manifests(services, list) {
  const objects = [];
  for (let at = 0; at < services; at += 1) objects.push(service(at), slice(at));
  if (!list) return objects.map((text) => `---\n${text}`).join('');
  const item = (text) => `- ${text.trimEnd().replace(/\n/g, '\n  ')}\n`;
  return `apiVersion: v1\nkind: List\nitems:\n${objects.map(item).join('')}`;
}

/** What Envoy prints at `/config_dump?include_eds`, with so many clusters. */
export function configDump(clusters) {
  const of = (at) => `outbound|80||service-${at}.default.svc.cluster.local`;
  const type = (name) => `type.googleapis.com/${name}`;
  const cluster = (at) => ({
    version_info: '2026-01-01T00:00:00Z/1',
    cluster: {
      '@type': type('envoy.config.cluster.v3.Cluster'), name: of(at), type: 'EDS',
      eds_cluster_config: { eds_config: { ads: {}, resource_api_version: 'V3' }, service_name: of(at) },
      connect_timeout: '10s', lb_policy: 'LEAST_REQUEST',
    },
    last_updated: '2026-01-01T00:00:00.000Z',
  });
  const endpoints = (at) => ({
    endpoint_config: {
      '@type': type('envoy.config.endpoint.v3.ClusterLoadAssignment'), cluster_name: of(at),
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: ip(244, at), port_value: 8080 } } }, health_status: 'HEALTHY', load_balancing_weight: 1 }] }],
    },
  });
  const all = (make) => Array.from({ length: clusters }, (_, at) => make(at));
  return JSON.stringify({
    configs: [
      { '@type': type('envoy.admin.v3.ClustersConfigDump'), dynamic_active_clusters: all(cluster) },
      { '@type': type('envoy.admin.v3.EndpointsConfigDump'), dynamic_endpoint_configs: all(endpoints) },
    ],
  }, null, 1);
}
