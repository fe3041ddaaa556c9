// What a format is, to whoever opens one.

import type { OpenFile } from "../files/open.ts";
import type { FileKindName } from "../files/file_kinds.ts";
import type { Layer } from "../layers/layer.ts";
import type { Model } from "../model/model.ts";
import type { LoadedModel, LoadedWeights } from "./build_model.ts";
import type { KerasModel } from "./keras/config.ts";
import type { StoredTraining } from "./keras/training.ts";
import type { Proposal } from "./proposal.ts";
import type { RecurrentParts, UntoldActivations } from "./recurrent_part.ts";

/** What must hold of a file where reading a model out of it fails for any reason. */
export const MODEL_RULE = "it must be a model";

/** The same, of its arrays for layers that are known. */
export const WEIGHTS_RULE = "its arrays must be those of the layers";

/** Layers in a row, and what they are called. */
export type Line = readonly { readonly name: string; readonly layer: Layer }[];

/** A model out of a file, and how far it was trained. */
export type OpenedModel = LoadedModel & { readonly training?: StoredTraining | undefined };

/** A Keras model whose configuration stands apart from its weights. */
export interface Configured {
  readonly parsed: KerasModel;
  readonly version: string;
}

/** A format: an entry of the table in formats.ts. */
export interface Format {
  /** What it is called: the end of its files' names. */
  readonly name: string;
  /** Who writes such files, of which versions each was read: for the README. */
  readonly writers: readonly string[];
  /** The kind of its bytes. */
  readonly kind: FileKindName;
  /** Whether bytes of that kind are of this format, where several have it. */
  readonly fits?: (bytes: Uint8Array) => boolean;
  /** Whether a file may hold several sets of weights, of which a key chooses one. */
  readonly hasKeys?: true;
  /** The model in a file; undefined where it tells of weights alone. */
  readonly model: (file: OpenFile, key?: string) => Promise<OpenedModel | undefined>;
  /** The layers that weights alone seem to be of, where `model` gives none. */
  readonly proposal?: (file: OpenFile) => Promise<Proposal | undefined>;
  /** The recurrent layers in it, each alone, whatever stands around them. */
  readonly recurrent: (
    file: OpenFile,
    untold: UntoldActivations,
    key?: string,
  ) => Promise<RecurrentParts>;
  /** The arrays of a file for these layers. Default: those of its own layers, in their order. */
  readonly weights?: (file: OpenFile, line: Line, key?: string) => Promise<LoadedWeights>;
  /** The model of a Keras configuration, with the arrays of a file of weights alone. */
  readonly configured?: (file: OpenFile, model: Configured) => Promise<LoadedModel>;
  /** Writes a model. */
  readonly save?: (target: string | URL, model: Model) => Promise<void>;
}
