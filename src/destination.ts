/** Where the end of a launch is told, in its normal form. How documents name it: `destination-schema.ts`. Pure. */

/** As documents write them, and as they are kept. */
export type Destination =
  | { readonly url: string }
  | { readonly queue: string }
  | { readonly topic: string }
  | { readonly bus: string }
  | { readonly task: string };

export type DestinationKind = 'url' | 'queue' | 'topic' | 'bus' | 'task';

/** What a launch has come to, as far as anybody is told of it. */
export type Condition = 'success' | 'failure' | 'dead-letter';

/** In a document, and in a task's normal form: absent where nobody is told. */
export interface Destinations {
  readonly onSuccess?: readonly Destination[];
  readonly onFailure?: readonly Destination[];
  readonly onDeadLetter?: readonly Destination[];
}

/** As users write them: one, or a list. */
export type DestinationsDocument = Readonly<Partial<Record<keyof Destinations, Destination | readonly Destination[]>>>;

/** Of one condition of one task. */
export const DESTINATIONS_MAX = 5;

export type Said = Readonly<{ [Field in keyof Destinations]: Destinations[Field] | undefined }>;

export const DESTINATION_FIELDS = ['onSuccess', 'onFailure', 'onDeadLetter'] as const;

/** Those of a document that say anything: a task without destinations is kept as it always was. */
export function destinationsOf(document: Said): Destinations {
  const said = DESTINATION_FIELDS.filter((field) => (document[field]?.length ?? 0) > 0);
  return Object.fromEntries(said.map((field) => [field, document[field]]));
}

const FIELD_OF: Readonly<Record<Condition, keyof Destinations>> = {
  success: 'onSuccess',
  failure: 'onFailure',
  'dead-letter': 'onDeadLetter',
};

export const toldOf = (task: Destinations, condition: Condition): readonly Destination[] =>
  task[FIELD_OF[condition]] ?? [];

/** What is behind it, as one text: two that are the same are up, or down, together. */
export function addressOf(to: Destination): string {
  if ('url' in to) return new URL(to.url).origin;
  return Object.entries(to).flat().join(':');
}
