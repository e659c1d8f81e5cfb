// The API, browsable: drawn from the document that this very hub serves.

import { Skeleton, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { openapi } from "../api/queries";
import { Command } from "../ui/Command";
import { Empty } from "../ui/Empty";
import { plural } from "../ui/format";
import { ProblemNote } from "../ui/ProblemNote";
import { Prose } from "../ui/Prose";
import { type Operation, readDocument, type Shape } from "./openapi";
import styles from "./System.module.css";
import { SystemFrame } from "./SystemFrame";

export function ReferencePage() {
  const { data, error, refetch } = useQuery(openapi);
  const [wanted, setWanted] = useState("");
  const operations = useMemo(() => readDocument(data), [data]);
  const shown = operations.filter(({ method, path, summary, tag }) =>
    `${method} ${path} ${summary} ${tag}`.toLowerCase().includes(wanted.trim().toLowerCase()),
  );
  const tags = [...new Set(shown.map((operation) => operation.tag))];
  return (
    <SystemFrame title="API reference">
      <p className={styles.lead}>
        Everything the console does, programs can do. They send <code>Authorization: Bearer tl_…</code>. The document:{" "}
        <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>
      </p>
      {error === null ? null : <ProblemNote what="The API's document could not be loaded" error={error} onRetry={() => void refetch()} />}
      {data === undefined ? (
        error === null ? (
          <Skeleton height={300} />
        ) : null
      ) : (
        <>
          <TextInput
            aria-label="Find an operation"
            placeholder="find: sessions, PUT, token …"
            w={280}
            mb="md"
            value={wanted}
            onChange={(event) => {
              setWanted(event.currentTarget.value);
            }}
          />
          <p className={styles.aside} role="status">
            {plural(shown.length, "operation")}
          </p>
          {shown.length === 0 ? <Empty title="No operation matches" /> : null}
          {tags.map((tag) => (
            <section key={tag}>
              <h2 className={styles.subtitle}>{tag}</h2>
              {shown
                .filter((operation) => operation.tag === tag)
                .map((operation) => (
                  <OperationEntry key={operation.id} operation={operation} />
                ))}
            </section>
          ))}
        </>
      )}
    </SystemFrame>
  );
}

function OperationEntry({ operation }: { readonly operation: Operation }) {
  return (
    <details className={styles.operation} id={operation.id}>
      <summary>
        <b data-method={operation.method}>{operation.method}</b> <code>{operation.path}</code>
        <span className={styles.aside}>{operation.summary}</span>
      </summary>
      <div className={styles.inside}>
        {operation.description === "" ? null : (
          <p>
            <Prose text={operation.description} />
          </p>
        )}
        {operation.parameters.length === 0 ? null : (
          <Fields
            title="Parameters"
            fields={operation.parameters.map((parameter) => ({
              ...parameter,
              description: parameter.place === "query" ? parameter.description : `In the ${parameter.place}. ${parameter.description}`,
            }))}
          />
        )}
        {operation.body === undefined ? null : <ShapeView title="Request body" shape={operation.body} />}
        {operation.answers.map((answer) => (
          <div key={answer.status}>
            {answer.shape === undefined || answer.shape.fields.length === 0 ? (
              <p className={styles.answer}>
                <b>{answer.status}</b> <Prose text={answer.description} /> {answer.shape === undefined ? "" : <code>{answer.shape.name}</code>}
              </p>
            ) : (
              <ShapeView title={`${answer.status} ${answer.description.replace(/\.$/u, "")}`} shape={answer.shape} />
            )}
          </div>
        ))}
        <Command>{curl(operation)}</Command>
      </div>
    </details>
  );
}

function ShapeView({ title, shape }: { readonly title: string; readonly shape: Shape }) {
  return <Fields title={`${title}: ${shape.name}`} fields={shape.fields} />;
}

interface FieldsProps {
  readonly title: string;
  readonly fields: readonly { readonly name: string; readonly type: string; readonly required: boolean; readonly description: string }[];
}

function Fields({ title, fields }: FieldsProps) {
  return (
    <table className={styles.shape}>
      <caption>{title}</caption>
      <tbody>
        {fields.map((field) => (
          <tr key={field.name}>
            <th scope="row">
              <code>{field.name}</code>
              {field.required ? <span title="required">*</span> : null}
            </th>
            <td>
              <code>{field.type}</code>
            </td>
            <td>
              <Prose text={field.description} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function curl(operation: Operation): string {
  const method = operation.method === "GET" ? "" : `-X ${operation.method} `;
  const sent = operation.body === undefined ? "" : ` -H 'Content-Type: application/json' -d '{…}'`;
  return `curl ${method}-H "Authorization: Bearer $THREADLINE_TOKEN"${sent} '${window.location.origin}${operation.path}'`;
}
