import { Button } from "@mantine/core";
import { Link, type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { emptySearch } from "../filters/search";
import { Empty } from "../ui/Empty";
import { ProblemNote } from "../ui/ProblemNote";

/** An address that leads nowhere. */
export function Lost() {
  return (
    <main>
      <Empty title="There is no such page">
        <p>The address may be from another version of the console.</p>
        <Link to="/sessions" search={emptySearch}>
          Go to the sessions
        </Link>
      </Empty>
    </main>
  );
}

/** A page that could not be shown at all. */
export function Failed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main>
      <ProblemNote
        what="The page could not be shown"
        error={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
      <Button
        variant="subtle"
        ml="md"
        onClick={() => {
          window.location.assign("/");
        }}
      >
        Start over
      </Button>
    </main>
  );
}
