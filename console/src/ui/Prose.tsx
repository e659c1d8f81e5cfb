import { Fragment } from "react";

/** Text of the hub's own; what stands between backticks is code. */
export function Prose({ text }: { readonly text: string }) {
  return (
    <>
      {text.split("`").map((piece, position) =>
        // Pieces alternate between prose and code; their place is their identity.
        position % 2 === 1 ? <code key={`${position} ${piece}`}>{piece}</code> : <Fragment key={`${position} ${piece}`}>{piece}</Fragment>,
      )}
    </>
  );
}
