package edge

import (
	"context"
	"time"
)

// FetchRequest is outbound HTTP to a host that was granted. Only URL is required.
type FetchRequest struct {
	URL     string            `cbor:"url"`
	Method  string            `cbor:"method,omitempty"`
	Headers map[string]string `cbor:"headers,omitempty"`
	Body    []byte            `cbor:"body,omitempty"`
}

// Fetched is the answer; a status such as 404 is one. Header names are in lower case.
type Fetched struct {
	Status  int               `cbor:"status"`
	Headers map[string]string `cbor:"headers"`
	Body    []byte            `cbor:"body"`
	URL     string            `cbor:"url"`
}

// Fetch sends a request and waits for the whole answer, within the context's deadline.
func Fetch(ctx context.Context, request FetchRequest) (Fetched, error) {
	var answer Fetched
	if err := ctx.Err(); err != nil {
		return answer, err
	}
	call := struct {
		FetchRequest
		Op      string `cbor:"op"`
		Timeout int64  `cbor:"timeoutMs,omitempty"`
	}{FetchRequest: request, Op: "fetch"}
	if deadline, ok := ctx.Deadline(); ok {
		call.Timeout = max(1, time.Until(deadline).Milliseconds())
	}
	err := Call(call, &answer)
	return answer, err
}
