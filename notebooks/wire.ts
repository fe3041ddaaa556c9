// Jupyter messages as frames on the wire: a delimiter, a signature, four JSON parts.
// Source: jupyter-client's documentation, "Messaging in Jupyter", section "The Wire Protocol".

import { createHmac } from "node:crypto";

const delimiter = "<IDS|MSG>";
const text = new TextDecoder();

/** What is read of a message. */
export interface Message {
  /** Such as `execute_reply` or `stream`. */
  readonly type: string;
  /** The request that it answers. */
  readonly parentId: string | undefined;
  /** What it says; its fields depend on the type. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** A message to send. */
export interface Request {
  /** Answers carry it as their `parentId`. */
  readonly id: string;
  /** The parts to send. */
  readonly frames: string[];
}

/** Writes and reads the messages of one session. */
export class Wire {
  /** Tells this client from others on the same kernel. */
  readonly session: string = crypto.randomUUID();
  readonly #key: string;

  /** Signs with the key of the connection file. */
  constructor(key: string) {
    this.#key = key;
  }

  /** A request with a new id. */
  request(type: string, content: object): Request {
    const id = crypto.randomUUID();
    const header = {
      msg_id: id,
      msg_type: type,
      session: this.session,
      username: "gatescope",
      date: new Date().toISOString(),
      version: "5.3",
    };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    return { id, frames: [delimiter, this.#sign(parts), ...parts] };
  }

  /** The message in these frames, or undefined if they are damaged: no delimiter, wrong signature. */
  read(frames: readonly Uint8Array[]): Message | undefined {
    const start = frames.findIndex((frame) => text.decode(frame) === delimiter);
    if (start === -1 || frames.length < start + 6) return undefined;
    const parts = frames.slice(start + 2, start + 6);
    if (text.decode(frames[start + 1]) !== this.#sign(parts)) return undefined;
    const [header, parent, , content] = parts.map((part) => JSON.parse(text.decode(part)));
    return { type: header.msg_type, parentId: parent.msg_id, content };
  }

  #sign(parts: readonly (string | Uint8Array)[]): string {
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }
}
