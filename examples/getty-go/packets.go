package main

import (
	"encoding/binary"
	"fmt"

	getty "github.com/apache/dubbo-getty"
)

// Bytes before the payload.
const header = 4

// packets reads and writes payloads with their length in front. One is a []byte; over UDP what is written is a getty.UDPContext
// with one.
type packets struct{}

func (packets) Read(_ getty.Session, data []byte) (any, int, error) {
	if len(data) < header {
		return nil, 0, nil
	}
	length := header + int(binary.BigEndian.Uint32(data))
	if len(data) < length {
		return nil, length, nil
	}
	// The buffer is used again.
	return append([]byte{}, data[header:length]...), length, nil
}

func (packets) Write(_ getty.Session, packet any) ([]byte, error) {
	payload, err := payloadOf(packet)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, header+len(payload)), uint32(len(payload))), payload...), nil
}

// payloadOf is the payload of what a listener gets or a writer is given.
func payloadOf(packet any) ([]byte, error) {
	switch packet := packet.(type) {
	case []byte:
		return packet, nil
	case getty.UDPContext:
		return payloadOf(packet.Pkg)
	default:
		return nil, fmt.Errorf("expected a payload, got a %T", packet)
	}
}
