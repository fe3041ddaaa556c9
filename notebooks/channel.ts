// ZeroMQ sockets, as far as the runner needs them.

import { Dealer, Subscriber } from "zeromq";

/**
 * A socket that is asked for what has arrived.
 *
 * `await socket.receive()` would be the natural way to wait, but Deno's `uv_poll_start` reports a
 * socket once at most (denoland/deno#36317, on Windows never), and the wait may go on for ever with
 * the message there. Asking `readable` needs no report; with the timeouts at 0, no call waits.
 */
export interface Channel {
  /** Takes what has arrived: messages, each a list of frames. */
  receiveAll(): Promise<Uint8Array[][]>;
  /** Closes the socket; what was not sent yet is dropped. */
  close(): void;
}

/** A channel that also sends. */
export interface RequestChannel extends Channel {
  /** Sends a message, now or as soon as the other side is there. */
  send(frames: string[]): Promise<void>;
}

// The kernel needs 0.2 s to listen; libzmq's own 100 ms between attempts would show in that.
const common = { linger: 0, receiveTimeout: 0, receiveHighWaterMark: 0, reconnectInterval: 10 };

/** For Jupyter's shell: requests and their replies. */
export function openRequests(address: string, routingId: string): RequestChannel {
  const socket = new Dealer({ ...common, routingId, sendTimeout: 0 });
  socket.connect(address);
  return {
    receiveAll: () => receiveAll(socket),
    send: (frames) => socket.send(frames),
    close: () => socket.close(),
  };
}

/** For Jupyter's iopub: everything that the kernel publishes. */
export function openSubscription(address: string): Channel {
  const socket = new Subscriber(common); // one option that a socket lacks, and Deno 2.9.6 crashes
  socket.connect(address);
  socket.subscribe();
  return { receiveAll: () => receiveAll(socket), close: () => socket.close() };
}

async function receiveAll(socket: Dealer | Subscriber): Promise<Uint8Array[][]> {
  const messages: Uint8Array[][] = [];
  while (!socket.closed && socket.readable) messages.push(await socket.receive());
  return messages;
}
