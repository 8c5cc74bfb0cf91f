// An Atom feed as JSON, as it runs on Lambda behind a function URL; nothing in it knows of edge.
const { XMLParser } = require("fast-xml-parser");

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" });

exports.handler = async (event) => {
  const xml = event.isBase64Encoded ? atob(event.body) : (event.body ?? "");
  const { feed } = parser.parse(xml);
  if (!feed) {
    return { statusCode: 422, body: JSON.stringify({ message: "send an Atom feed" }) };
  }
  const entries = [feed.entry ?? []].flat();
  const limit = Number(event.queryStringParameters?.limit ?? 10);
  return {
    statusCode: 200,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      title: feed.title,
      entries: entries
        .slice(0, limit)
        .map(({ title, link, updated }) => ({ title, href: link?.href, updated })),
    }),
  };
};
