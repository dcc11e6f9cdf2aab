/** URLs: parsed and changed by the host's own class, so that inside they are what they are in Node. */

const WRITABLE: ReadonlySet<string> = new Set([
  ...['href', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'],
]);

/** `["<url>", "<base>"?]`. The answer is the URL's parts by name, as JSON; empty if it is no URL. */
export function parseUrl(question: string): string | undefined {
  const [input, base] = textsOf(question);
  if (input === undefined) return undefined;
  const url = URL.parse(input, base);
  return url === null ? '' : partsOf(url);
}

/** `["<part>", "<url>", "<value>"]`. The answer is the URL with this part set; empty if it would be none. */
export function changeUrl(question: string): string | undefined {
  const [part, href, value] = textsOf(question);
  if (part === undefined || href === undefined || value === undefined || !WRITABLE.has(part)) return undefined;
  const url = URL.parse(href);
  if (url === null) return undefined;
  try {
    Reflect.set(url, part, value);
  } catch {
    return '';
  }
  return partsOf(url);
}

const textsOf = (json: string): string[] => {
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : [];
};

const partsOf = (url: URL): string => {
  const { href, origin, protocol, username, password, host, hostname, port, pathname, search, hash } = url;
  return JSON.stringify({
    href,
    origin,
    protocol,
    username,
    password,
    host,
    hostname,
    port,
    pathname,
    search,
    hash,
  });
};
