// The exchange that the point editor begins with: somebody signs in and gets a token. Made up from end to end.

const claims = "eyJzdWIiOiJhZGEiLCJ0ZW5hbnQiOiJub3J0aCIsInJvbGUiOiJidXllciIsImV4cCI6MTc5MjAwMDAwMH0";

export const usualRequest = `POST /api/login?lang=en HTTP/1.1
Host: shop.example
User-Agent: Mozilla/5.0 (X11; Linux x86_64)
Content-Type: application/json
X-Tenant: north
Cookie: visitor=5f0c9a17; theme=dark

{
  "username": "ada",
  "password": "made-up",
  "device": { "id": "d-4711", "kind": "phone" }
}`;

export const usualResponse = `HTTP/1.1 200 OK
Content-Type: application/json
Set-Cookie: session=8b1e42d0; Path=/; HttpOnly
X-Request-Id: 01J9Z3

{
  "token": "eyJhbGciOiJIUzI1NiJ9.${claims}.c2lnbmF0dXJl",
  "user": { "id": 42, "name": "Ada", "roles": ["buyer", "reviewer"] }
}`;
