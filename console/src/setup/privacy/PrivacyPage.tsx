// Setup › Privacy: what leaves nodes under the draft as it stands, and what did leave.

import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { me } from "../../api/queries";
import { toDocument } from "../draft";
import setup from "../Setup.module.css";
import { useSetup } from "../useSetup";
import { DidLeave } from "./DidLeave";
import { WouldLeave } from "./WouldLeave";

export function PrivacyPage() {
  const { draft, base, changed } = useSetup();
  const person = useQuery(me).data;
  const document = useMemo(() => toDocument(draft), [draft]);
  const [policy] = useDebouncedValue(document, 250);
  return (
    <>
      <header className={setup.head}>
        <div>
          <h1>Privacy</h1>
          <p className={setup.lead}>Nodes see whole exchanges. This is what they hand on, and what they handed on.</p>
        </div>
      </header>
      {person?.role === "admin" ? <WouldLeave policy={policy} against={base.version} changed={changed} /> : null}
      <DidLeave />
    </>
  );
}
