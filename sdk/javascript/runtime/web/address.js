/**
 * A URL's parts out of its text, and back.
 *
 * Neighbours: `url.js` is the class over it, `hosts.js` reads hosts.
 * Source: https://url.spec.whatwg.org/#concept-basic-url-parser, told as a descent: the fragment and
 * the query are cut off first, since no state before them takes a `#` or a `?`.
 * Invariant: `path` is a list of segments, or the text of an opaque path; a host of null is none.
 */

import { parseHost } from "./hosts.js";
import { encodeControl, encodeFragment, encodePath, encodeQuery, encodeUserinfo } from "./percent.js";

const PORTS = { "http:": 80, "https:": 443, "ws:": 80, "wss:": 443, "ftp:": 21, "file:": null };
const DRIVE = /^[a-z][:|]$/i;
const STARTS_WITH_DRIVE = /^[a-z][:|]([/\\]|$)/i;
const SINGLE_DOT = /^(\.|%2e)$/i;
const DOUBLE_DOT = /^(\.|%2e){2}$/i;

export const isSpecial = ({ protocol }) => Object.hasOwn(PORTS, protocol);
export const isOpaque = ({ path }) => typeof path === "string";

/** The parts of a URL; null where it is none. `base` has the parts of what it is relative to. */
export function parse(text, base) {
  const input = withoutBreaks(text.replace(/^[\0-\x20]+|[\0-\x20]+$/g, ""));
  const [unmarked, fragment] = cut(input, "#");
  const [plain, query] = cut(unmarked, "?");
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(plain)?.[0];
  const url = scheme
    ? parseAbsolute(scheme.toLowerCase(), plain.slice(scheme.length), base, query)
    : base && parseRelative(plain, base, query, fragment);
  if (!url) return null;
  if (query !== null) url.query = encodeQuery(query, isSpecial(url));
  if (fragment !== null) url.fragment = encodeFragment(fragment);
  if (isOpaque(url) && (query ?? fragment) !== null) url.path = url.path.replace(/ $/, "%20");
  return url;
}

/** Tabs and line breaks stand nowhere in a URL. */
export const withoutBreaks = (text) => text.toWellFormed().replace(/[\t\n\r]/g, "");

function cut(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

const blank = (protocol) => ({
  ...{ protocol, username: "", password: "", host: null, port: null },
  ...{ path: [], query: null, fragment: null },
});

function parseAbsolute(protocol, rest, base, query) {
  const url = blank(protocol);
  if (protocol === "file:") return parseFile(url, rest, base, query);
  if (isSpecial(url)) {
    const relative = base?.protocol === protocol && !/^[/\\]{2}/.test(rest);
    if (relative) return parseAgainst(rest, base, query);
    return parseAuthority(url, rest.replace(/^[/\\]+/, ""));
  }
  if (rest.startsWith("//")) return parseAuthority(url, rest.slice(2));
  if (rest.startsWith("/")) return parsePath(url, rest.slice(1));
  url.path = encodeControl(rest);
  return url;
}

function parseRelative(rest, base, query, fragment) {
  if (isOpaque(base)) return rest === "" && query === null && fragment !== null ? { ...base } : null;
  if (base.protocol === "file:") return parseFile(blank("file:"), rest, base, query);
  return parseAgainst(rest, base, query);
}

function parseAgainst(rest, base, query) {
  const url = { ...base, path: [...base.path], fragment: null };
  if (rest === "") {
    if (query !== null) url.query = null;
    return url;
  }
  url.query = null;
  const special = isSpecial(url);
  const slashes = (special ? /^[/\\]+/ : /^\/{1,2}/).exec(rest)?.[0].length ?? 0;
  if (slashes > 1) return parseAuthority(blank(base.protocol), rest.slice(slashes));
  if (slashes === 1) url.path = [];
  else shorten(url);
  return parsePath(url, rest.slice(slashes));
}

function parseFile(url, rest, base, query) {
  url.host = "";
  const near = base?.protocol === "file:" ? base : undefined;
  if (/^[/\\]{2}/.test(rest)) return parseFileHost(url, rest.slice(2));
  if (/^[/\\]/.test(rest)) {
    const path = rest.slice(1);
    if (near) {
      url.host = near.host;
      const keepsDrive = !STARTS_WITH_DRIVE.test(path) && /^[a-z]:$/i.test(near.path[0] ?? "");
      if (keepsDrive) url.path = [near.path[0]];
    }
    return parsePath(url, path);
  }
  if (!near) return parsePath(url, rest);
  url.host = near.host;
  url.path = [...near.path];
  if (rest === "") {
    url.query = query === null ? near.query : null;
    return url;
  }
  if (STARTS_WITH_DRIVE.test(rest)) url.path = [];
  else shorten(url);
  return parsePath(url, rest);
}

function parseFileHost(url, rest) {
  const end = endOf(rest, true);
  const text = rest.slice(0, end);
  if (DRIVE.test(text)) return parsePath(url, rest);
  if (text !== "") {
    url.host = parseHost(text, true);
    if (url.host === null) return null;
    if (url.host === "localhost") url.host = "";
  }
  return parsePath(url, rest.slice(end + 1));
}

function endOf(text, special) {
  const at = text.search(special ? /[/\\]/ : /\//);
  return at < 0 ? text.length : at;
}

function parseAuthority(url, rest) {
  const special = isSpecial(url);
  const end = endOf(rest, special);
  const authority = rest.slice(0, end);
  const at = authority.lastIndexOf("@");
  if (at >= 0) {
    const [username, password] = cut(authority.slice(0, at), ":");
    url.username = encodeUserinfo(username);
    url.password = encodeUserinfo(password ?? "");
  }
  const place = readHostAndPort(url, authority.slice(at + 1));
  if (place === null || (at >= 0 && place.host === "")) return null;
  Object.assign(url, place);
  if (end === rest.length && !special) return url;
  return parsePath(url, rest.slice(end + 1));
}

/** `{host, port}` of what stands between the credentials and the path; null if they are none. */
export function readHostAndPort(url, text) {
  const [name, port] = splitPort(text);
  if (name === "" && (isSpecial(url) || port !== null)) return null;
  const host = name === "" ? "" : parseHost(name, isSpecial(url));
  if (host === null || /[^\d]/.test(port ?? "") || Number(port) > 65_535) return null;
  return { host, port: port ? portOf(url, Number(port)) : null };
}

/** A host and its port's text, null without one; brackets may hold colons. */
export function splitPort(text) {
  const at = /^(?:\[[^\]]*\]?|[^:[])*/.exec(text)[0].length;
  return at < text.length ? [text.slice(0, at), text.slice(at + 1)] : [text, null];
}

/** A port as it is kept: null for the scheme's own. */
export const portOf = ({ protocol }, port) => (PORTS[protocol] === port ? null : port);

/** Add the segments of a path to those there are. */
export function parsePath(url, text) {
  const special = isSpecial(url);
  const segments = text.split(special ? /[/\\]/ : "/");
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1;
    if (DOUBLE_DOT.test(segment)) shorten(url);
    const dots = SINGLE_DOT.test(segment) || DOUBLE_DOT.test(segment);
    if (dots) {
      if (last) url.path.push("");
      continue;
    }
    const drive = url.protocol === "file:" && url.path.length === 0 && DRIVE.test(segment);
    url.path.push(drive ? `${segment[0]}:` : encodePath(segment));
  }
  return url;
}

function shorten(url) {
  const isDrive = url.path.length === 1 && /^[a-z]:$/i.test(url.path[0]);
  if (url.protocol !== "file:" || !isDrive) url.path.pop();
}

/** `host:port`, without a port that is the scheme's own. */
export const hostOf = ({ host, port }) => (port === null ? (host ?? "") : `${host}:${port}`);

export const pathOf = ({ path }) =>
  typeof path === "string" ? path : path.map((segment) => `/${segment}`).join("");

/** The text of a URL's parts. */
export function write(url) {
  const password = url.password && `:${url.password}`;
  const credentials = url.username || password ? `${url.username}${password}@` : "";
  const path = pathOf(url);
  const authority = url.host === null ? "" : `//${credentials}${hostOf(url)}`;
  // Else the path would read as a host.
  const guard = url.host === null && path.startsWith("//") ? "/." : "";
  const query = url.query === null ? "" : `?${url.query}`;
  const fragment = url.fragment === null ? "" : `#${url.fragment}`;
  return url.protocol + authority + guard + path + query + fragment;
}
