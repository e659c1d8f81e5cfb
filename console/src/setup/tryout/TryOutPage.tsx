// Setup › Try out: what the draft would do to traffic, before it is saved.

import { useMemo } from "react";
import { toDocument } from "../draft";
import { useSetup } from "../useSetup";
import { TryOut } from "./TryOut";

export function TryOutPage() {
  const { draft, base } = useSetup();
  const policy = useMemo(() => toDocument(draft), [draft]);
  return <TryOut policy={policy} against={base.version} />;
}
