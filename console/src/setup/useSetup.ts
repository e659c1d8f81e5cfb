// The one draft of the whole policy that all Setup pages edit.

import { createContext, useContext } from "react";
import type { FieldProblem } from "../api/problem";
import type { PolicyAnswer, PolicyCheck, PolicyDocument, PolicyWarning } from "../api/types";
import type { PolicyDraft } from "./draft";

export interface Setup {
  /** The policy that the draft was begun from. */
  readonly base: PolicyAnswer;
  readonly draft: PolicyDraft;
  readonly changed: boolean;
  /** Only administrators edit. */
  readonly readOnly: boolean;
  /** Replaces some sections of the draft. */
  readonly change: (part: Partial<PolicyDraft>) => void;
  /** Makes the draft what another policy says, with a word about it for whoever saves. */
  readonly take: (policy: PolicyDocument, comment: string) => void;
  /** What the hub says about the draft as it stands; undefined while that is not known. */
  readonly check: PolicyCheck | undefined;
  /** Complaints, once somebody wanted to save: nobody is told that a name is missing before they could type one. */
  readonly problems: readonly FieldProblem[];
  /** What is allowed but may not be meant. */
  readonly warnings: readonly PolicyWarning[];
  /** The row that is open for editing: `parameters 3`. */
  readonly open: string | undefined;
  readonly setOpen: (row: string | undefined) => void;
}

export const SetupContext = createContext<Setup | undefined>(undefined);

export function useSetup(): Setup {
  const setup = useContext(SetupContext);
  if (setup === undefined) {
    throw new Error("a Setup page stands outside of the frame that holds the draft");
  }
  return setup;
}
