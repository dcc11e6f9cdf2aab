/** A server in AWS's place, which accepts what is signed as Signature Version 4 asks for, and nothing else. */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { serve, type Web } from './web.ts';

export const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalr-s3cret',
  sessionToken: 's3ssion-token',
};

export interface Arrived {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** `<region>/<service>` of the signature. */
  readonly scope: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface AwsStub {
  readonly web: Web;
  readonly arrived: readonly Arrived[];
}

/** `reply` is asked for each request whose signature is right. */
export async function serveAws(reply: (arrived: Arrived) => Reply | Promise<Reply>): Promise<AwsStub> {
  const arrived: Arrived[] = [];
  const web = await serve(async (request, response) => {
    const body = await text(request);
    const signature = signatureOf(request, body);
    if (signature !== undefined && request.headers.authorization?.endsWith(`Signature=${signature.hex}`) !== true) {
      // As AWS does: it quotes what it has signed itself.
      response.writeHead(403).end(JSON.stringify({ __type: 'SignatureDoesNotMatch', message: signature.canonical }));
      return;
    }
    const one = { path: request.url ?? '', headers: request.headers, body, scope: signature?.scope ?? '' };
    arrived.push(one);
    const { status = 200, headers = {}, body: answer = '{}' } = await reply(one);
    response.writeHead(status, headers).end(answer);
  });
  return { web, arrived };
}

/** By the steps of AWS's own page, "Create a signed AWS API request". Undefined: it is not signed. */
function signatureOf(request: IncomingMessage, body: string) {
  const { authorization = '' } = request.headers;
  const form =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+),/;
  const [, date = '', region = '', service = '', signed = ''] = form.exec(authorization) ?? [];
  if (date === '') return undefined;
  const path = (request.url ?? '').split('/').map(encodeURIComponent).join('/'); // each part is encoded once more
  const headers = signed.split(';').map((name) => `${name}:${request.headers[name]}\n`);
  const canonical = ['POST', path, '', headers.join(''), signed, sha256(body)].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${CREDENTIALS.secretAccessKey}`,
  );
  return { hex: hmac(key, toSign).toString('hex'), canonical, scope: `${region}/${service}` };
}

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
