package edge

import "unsafe"

// message is where the event is; the collector must not take it before the handler ran.
var message []byte

// result keeps the answer until the host has copied it.
var result []byte

//go:wasmexport edge_init
func initialise() { programMain() }

//go:wasmexport edge_alloc
func alloc(length int32) int32 {
	message = make([]byte, uint32(length), max(1, uint32(length)))
	return int32(uintptr(unsafe.Pointer(unsafe.SliceData(message))))
}

//go:wasmexport edge_handle
func handle(pointer, length int32) int64 {
	result = onWorker(message)
	place := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(result))))
	return int64(place<<32 | uint64(len(result)))
}
