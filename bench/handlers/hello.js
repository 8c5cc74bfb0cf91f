// Says hello from JavaScript, as the least a component can do; built by componentize-qjs.
export function handle(envelope) {
  const { event } = JSON.parse(envelope);
  return JSON.stringify({ ok: `hello ${event.name}` });
}
