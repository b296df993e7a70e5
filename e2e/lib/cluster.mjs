// Manifests of clusters that are too large to write.

/** So many Services with so many endpoints each, one document an object, as `kubectl get -o yaml` prints their fields. */
export function scaleYaml(services, endpoints) {
  const documents = [];
  for (let n = 0; n < services; n += 1) {
    const namespace = `ns-${n % 10}`;
    documents.push(`apiVersion: v1
kind: Service
metadata:
  name: svc-${n}
  namespace: ${namespace}
spec:
  type: NodePort
  clusterIP: 10.97.${n >> 8}.${n & 255}
  clusterIPs:
  - 10.97.${n >> 8}.${n & 255}
  ipFamilies:
  - IPv4
  ports:
  - name: http
    port: 80
    protocol: TCP
    targetPort: 8080
    nodePort: ${30000 + n}
`);
    const items = Array.from({ length: endpoints }, (_, at) => `- addresses:
  - 10.200.${n >> 6}.${(n & 63) * 4 + at}
  conditions:
    ready: true
    serving: true
    terminating: false
  nodeName: ${at % 2 === 0 ? 'work001' : 'work002'}
  zone: zone-${at}
`);
    documents.push(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: svc-${n}-abcde
  namespace: ${namespace}
  labels:
    kubernetes.io/service-name: svc-${n}
addressType: IPv4
ports:
- name: http
  port: 8080
  protocol: TCP
endpoints:
${items.join('')}`);
  }
  return documents.join('---\n');
}

/** A cluster of so many Nodes, Services and Pods, each Service with its share of the Pods, an object a line. */
export function largeYaml(nodes, services, pods) {
  const lines = ['{apiVersion: northsouth/v1, kind: Environment, kubernetes: v1.36.0, pods: {cidr: 10.128.0.0/9}, nodes: {network: 192.168.0.0/24}, serviceCIDR: 10.96.0.0/16, loadBalancer: {cloud: gcp-passthrough}}'];
  for (let n = 0; n < nodes; n += 1) {
    lines.push(`{apiVersion: v1, kind: Node, metadata: {name: node-${n}}, spec: {podCIDR: 10.${128 + n}.0.0/16}, status: {addresses: [{type: InternalIP, address: 192.168.0.${n + 10}}]}}`);
  }
  for (let n = 0; n < services; n += 1) {
    const type = n === 0 ? 'type: LoadBalancer, ' : '';
    const status = n === 0 ? ', status: {loadBalancer: {ingress: [{ip: 182.92.251.227}]}}' : '';
    lines.push(`{apiVersion: v1, kind: Service, metadata: {name: svc-${n}}, spec: {${type}selector: {app: app-${n}}, clusterIP: 10.96.${n >> 8}.${n & 255}, ports: [{name: http, port: 80, targetPort: 8080}]}${status}}`);
  }
  for (let n = 0; n < pods; n += 1) {
    const node = n % nodes;
    const at = Math.floor(n / nodes) + 2;
    lines.push(`{apiVersion: v1, kind: Pod, metadata: {name: pod-${n}, labels: {app: app-${n % services}}}, spec: {nodeName: node-${node}, containers: [{name: c, ports: [{containerPort: 8080}]}]}, status: {podIP: 10.${128 + node}.${at >> 8}.${at & 255}}}`);
  }
  return lines.join('\n---\n') + '\n';
}
