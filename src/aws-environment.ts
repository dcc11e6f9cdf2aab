/**
 * What the environment says of AWS, in the variables that Lambda sets and that AWS's SDKs read as well. Credentials that
 * files or servers hand out are not looked for. Pure.
 */
import { isRegion } from './arn.ts';
import { AWS_SERVICES, type AwsSettings } from './aws.ts';
import { type Problem, received } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const ENDPOINT = 'AWS_ENDPOINT_URL';

/** Undefined without credentials and a region: nothing can be sent to AWS then. Problems show no secrets. */
export function awsOf(environment: Environment): { aws?: AwsSettings; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (!region || !accessKeyId || !secretAccessKey) return { problems };
  if (!isRegion(region)) problems.push(problem('AWS_REGION', region, 'a region, such as eu-central-1'));
  const names = [
    ['all', ENDPOINT],
    ...AWS_SERVICES.map((service) => [service, `${ENDPOINT}_${service.toUpperCase()}`]),
  ];
  const endpoints = names.flatMap(([key = '', name = '']) => {
    const url = environment[name];
    if (!url) return [];
    if (!isEndpoint(url)) problems.push(problem(name, url, 'a URL of http or https, without credentials'));
    return [[key, url]];
  });
  const sessionToken = environment.AWS_SESSION_TOKEN;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  return { aws: { region, credentials, endpoints: Object.fromEntries(endpoints) }, problems };
}

const problem = (field: string, value: string, allowed: string): Problem => ({
  field,
  message: `received ${received(value.replace(/\/\/[^/]*@/, '//…@'))}; allowed: ${allowed}`,
});

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}
