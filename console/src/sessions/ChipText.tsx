// What a chip says: the field and its value, a keyed hash as a lock and eight digits.

import { hashIn } from "../filters/hashed";
import type { Token } from "../filters/token";
import { Captured } from "../ui/Captured";
import { visible } from "../ui/visible";

export function ChipText({ token }: { readonly token: Token }) {
  const hashed = hashIn(token);
  return (
    <>
      {token.field}:{" "}
      {hashed === undefined ? (
        <bdi>{visible(token.value)}</bdi>
      ) : (
        <>
          {hashed.before === "" ? null : <bdi>{visible(hashed.before)}</bdi>}
          <Captured text={hashed.hash} hashed />
        </>
      )}
    </>
  );
}
