package edge

import (
	"fmt"
	"unsafe"

	"github.com/fxamacker/cbor/v2"
)

//go:wasmimport edge log
func importLog(level int32, pointer unsafe.Pointer, length int32)

//go:wasmimport edge call
func importCall(pointer unsafe.Pointer, length int32) int32

//go:wasmimport edge take
func importTake(pointer unsafe.Pointer)

// Level is how grave a line of the log is.
type Level int32

// The levels of a log.
const (
	Trace Level = iota
	Debug
	Info
	Warning
	Severe
)

// Logf writes one line to the function's log. What goes to stdout is logged as Info, to stderr as
// Warning, so fmt, log and log/slog work as they are.
func Logf(level Level, format string, arguments ...any) {
	line := fmt.Appendf(nil, format, arguments...)
	importLog(int32(level), unsafe.Pointer(unsafe.SliceData(line)), int32(len(line)))
}

// HostError is why a host call failed: a code of docs/abi.md ("denied", "conflict", …).
type HostError struct {
	Code    string `cbor:"code"`
	Message string `cbor:"message"`
}

func (e *HostError) Error() string { return e.Code + ": " + e.Message }

// Call makes any host call: request is a map or struct with an "op". The typed calls are made of
// it. The answer is decoded into ok, a pointer. The error is a *HostError when the host refused.
func Call(request, ok any) error {
	encoded, err := encoding.Marshal(request)
	if err != nil {
		return err
	}
	length := importCall(unsafe.Pointer(unsafe.SliceData(encoded)), int32(len(encoded)))
	answer := make([]byte, max(1, length))
	importTake(unsafe.Pointer(unsafe.SliceData(answer)))
	var parts struct {
		OK    cbor.RawMessage `cbor:"ok"`
		Error *HostError      `cbor:"error"`
	}
	if err := decoding.Unmarshal(answer[:length], &parts); err != nil {
		return err
	}
	if parts.Error != nil {
		return parts.Error
	}
	return decoding.Unmarshal(parts.OK, ok)
}
