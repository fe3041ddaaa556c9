// The kernel's messages -> a cell's outputs, as a front end would gather them.
// Source: jupyter-client's documentation, "Messages on the IOPub (PUB/SUB) channel".

import type { MediaBundle, Output } from "./notebook.ts";
import type { Message } from "./wire.ts";

type Display = Extract<Output, { data: MediaBundle }>;

/** Gathers the outputs of a notebook's cells. */
export class OutputCollector {
  // By display_id: an update reaches outputs of earlier cells too.
  readonly #displays = new Map<string, Display[]>();
  #outputs: Output[] = [];
  #clearFirst = false;

  /** From now on, outputs belong to this cell's list. */
  startCell(outputs: Output[]): void {
    this.#outputs = outputs;
    this.#clearFirst = false;
  }

  /** Takes one message of the kernel. */
  add({ type, content }: Message): void {
    // deno-lint-ignore no-explicit-any -- its fields are the protocol's
    const { name, text, data, metadata, ename, evalue, traceback, ...rest } = content as any;
    switch (type) {
      case "stream":
        return this.#stream(name, text);
      case "display_data":
        return this.#display({ output_type: type, data, metadata }, rest.transient?.display_id);
      case "execute_result":
        return this.#display(
          { output_type: type, data, metadata, execution_count: rest.execution_count },
          rest.transient?.display_id,
        );
      case "update_display_data":
        for (const display of this.#displays.get(rest.transient?.display_id) ?? []) {
          Object.assign(display, { data, metadata });
        }
        return;
      case "error":
        return this.#push({ output_type: type, ename, evalue, traceback });
      case "clear_output":
        this.#clearFirst = true;
        if (!rest.wait) this.#clear(); // else when the next output comes, so that nothing flickers
    }
  }

  #stream(name: string, text: string): void {
    this.#clear();
    const last = this.#outputs.at(-1);
    if (last?.output_type === "stream" && last.name === name) last.text += text;
    else this.#push({ output_type: "stream", name, text });
  }

  #display(display: Display, id: string | undefined): void {
    this.#push(display);
    if (id === undefined) return;
    this.#displays.set(id, [...this.#displays.get(id) ?? [], display]);
  }

  #push(output: Output): void {
    this.#clear();
    this.#outputs.push(output);
  }

  #clear(): void {
    if (this.#clearFirst) this.#outputs.length = 0;
    this.#clearFirst = false;
  }
}
