import { useState } from "react";

/** State that a reader may change and that starts over whenever `value` changes from outside. */
export function useFollowing<T>(value: T): readonly [T, (changed: T) => void] {
  const [followed, setFollowed] = useState(value);
  const [own, setOwn] = useState(value);
  if (followed !== value) {
    setFollowed(value);
    setOwn(value);
    return [value, setOwn];
  }
  return [own, setOwn];
}
