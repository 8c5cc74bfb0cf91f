// Says hello to HTTP from a fetch event; built by componentize-js (StarlingMonkey).
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

function answer(request) {
  const name = new URL(request.url).searchParams.get("name");
  return new Response(`hello ${name}`, { headers: { "content-type": "text/plain" } });
}
