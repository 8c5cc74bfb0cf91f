// Package lambdacontext says what the host knows about a request beside its event, by the names of
// aws-lambda-go's package.
package lambdacontext

import "context"

// What a function is; the same for every request of an instance.
var (
	FunctionName    string
	FunctionVersion string
	MemoryLimitInMB int
)

// LambdaContext is what differs from request to request.
type LambdaContext struct {
	AwsRequestID       string
	InvokedFunctionArn string
	Traceparent        string
	ClientContext      any
}

type key struct{}

// NewContext is a context with this in it.
func NewContext(parent context.Context, value *LambdaContext) context.Context {
	return context.WithValue(parent, key{}, value)
}

// FromContext is what a handler's context has.
func FromContext(ctx context.Context) (*LambdaContext, bool) {
	value, ok := ctx.Value(key{}).(*LambdaContext)
	return value, ok
}
