// A `wasi:http` guest in JavaScript, from a fetch event (StarlingMonkey): the paths of app.py that
// the web's own classes have words for.
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  switch (new URL(request.url).pathname) {
    case "/hello":
      return new Response("hello from javascript", {
        status: 201,
        headers: { "x-kind": "hello", "set-cookie": "a=1" },
      });
    case "/count":
      return new Response(String((await request.arrayBuffer()).byteLength));
    case "/echo":
      return new Response(request.body);
    case "/proxy":
      return proxy(request);
    default:
      return new Response("", { status: 404 });
  }
}

async function proxy(request) {
  const to = `http://${request.headers.get("x-to")}/asked`;
  try {
    const answered = await fetch(to, {
      method: "POST",
      headers: { "x-guest": "javascript" },
      body: request.body,
      duplex: "half",
    });
    const headers = { "x-origin": answered.headers.get("x-origin") };
    return new Response(answered.body, { status: answered.status, headers });
  } catch (error) {
    return new Response("", { status: 502, headers: { "x-error": error.name } });
  }
}
