/** Replies of Flink's REST API, and how they are written. */
export type RestReply = { readonly status: number; readonly text: string };

/** An error as its handlers write it: with a stack trace. */
export function trace(message: string): string {
  return `org.apache.flink.runtime.rest.handler.RestHandlerException: ${message}\n\tat org.apache.flink.runtime.rest.handler.Sim.handle(Sim.java:1)`;
}

export function error(status: number, message: string): RestReply {
  return { status, text: JSON.stringify({ errors: [message] }) };
}

export function json(status: number, body: unknown): RestReply {
  return { status, text: JSON.stringify(body) };
}

/** What a handler that throws is answered as. */
export function serverError(message: string): RestReply {
  return {
    status: 500,
    text: JSON.stringify({
      errors: ['Internal server error.', `<Exception on server side:\n${message}\nEnd of exception on server side>`],
    }),
  };
}
