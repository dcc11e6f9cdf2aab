/** Where events come in over HTTP: those of a bus, or of anybody who may write. */

import { invalidDocument } from '../document.ts';
import { isCronkeeperError, received } from '../errors.ts';
import { type Emitted, type EventDocument, parseEvent } from '../event.ts';
import { json } from './answer.ts';
import { JSON_CONTENT_TYPE, readBody, YAML_CONTENT_TYPE } from './body.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

const emitEvents = route(
  {
    method: 'POST',
    path: '/v1/events',
    operationId: 'emitEvents',
    summary: 'Launch the tasks that name an event, once per event; of several, all or the request is to be sent again',
    access: 'write',
    query: schemas.noQuery,
    body: { schema: schemas.eventsBody, required: true, contentTypes: [JSON_CONTENT_TYPE, YAML_CONTENT_TYPE] },
    answers: { 202: { description: 'For one event, or a list as long as the one sent.', schema: schemas.emittedAny } },
  },
  async ({ keeper, request }) => {
    const body = await readBody(request);
    if (!Array.isArray(body)) return json(await keeper.emit(body as EventDocument), 202);
    // All are read before the first is launched for.
    const events = eventsOf(body);
    const items: Emitted[] = [];
    for (const event of events) items.push(await keeper.emit(event));
    return json({ items }, 202);
  },
);

function eventsOf(list: readonly unknown[]): readonly EventDocument[] {
  const { EVENTS_MAX: max } = schemas;
  if (list.length < 1 || list.length > max) {
    const message = `received ${received(list.length)} events; allowed: 1 to ${max}`;
    throw invalidDocument('events', [{ field: '', message }]);
  }
  for (const [i, event] of list.entries()) {
    try {
      parseEvent(event, () => String(i));
    } catch (error) {
      if (!isCronkeeperError(error, 'invalid')) throw error;
      const at = (field: string) => (field === '' ? `${i}` : `${i}.${field}`);
      throw invalidDocument(
        'events',
        error.problems.map(({ field, message }) => ({ field: at(field), message })),
      );
    }
  }
  return list as readonly EventDocument[];
}

export const eventRoutes: readonly Route[] = [emitEvents];
