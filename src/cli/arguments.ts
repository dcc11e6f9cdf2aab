/** Flags and arguments, checked before anything is done: what is wrong with one is the caller's mistake. */
import { InvalidArgumentError } from 'commander';
import { assertTaskId } from '../document.ts';
import { parseDuration } from '../duration.ts';
import { messageOf, received } from '../errors.ts';
import { parseInstant } from '../instant.ts';
import { assertNamespace } from '../namespace.ts';
import { parseCoordinatorUrl } from '../url.ts';

/** Commander prefixes the message with the flag and the value. */
const argument =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error));
    }
  };

const checked = (check: (text: string) => void) =>
  argument((text) => {
    check(text);
    return text;
  });

export const taskIdArgument = checked(assertTaskId);
/** Whether it is one of the task's, the registry finds out. */
export const launchIdArgument = checked((text) => {
  if (/^[^@]+@\d{1,16}$/.test(text)) return;
  throw new Error(`received ${received(text)}; allowed: the id of a launch, such as report@1767225600000`);
});
export const namespaceArgument = checked(assertNamespace);
export const urlArgument = checked(parseCoordinatorUrl);
export const instantArgument = checked(parseInstant);

export const endpointArgument = checked((text) => {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return;
  throw new Error(`received ${received(text)}; allowed: an http or https URL, such as http://127.0.0.1:8080`);
});

const KEY_LENGTH_MAX = 128;

export const keyArgument = checked((text) => {
  if (text.length >= 1 && text.length <= KEY_LENGTH_MAX) return;
  throw new Error(`received ${received(text)}; allowed: 1 to ${KEY_LENGTH_MAX} characters`);
});

export const wholeArgument = (min: number, max: number) =>
  argument((text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Error(`received ${received(text)}; allowed: a whole number from ${min} to ${max}`);
  });

/** A duration in ms; `range` says the bounds in words. */
export const durationArgument = (minMs: number, maxMs: number, range: string) =>
  argument((text) => {
    const ms = parseDuration(text);
    if (ms >= minMs && ms <= maxMs) return ms;
    throw new Error(`received ${received(text)}; allowed: ${range}`);
  });

export const jsonArgument = argument((text): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`received ${received(text)}; allowed: JSON, such as '{"dryRun":true}' (${messageOf(error)})`);
  }
});
