package main

import (
	"fmt"
	"reflect"

	getty "github.com/apache/dubbo-getty"
	"github.com/gorilla/websocket"
)

// raiseReadLimit lets a session over WebSocket read messages of so many bytes. In v1.4.10 those of a client read at most 4,096,
// header included, whatever SetMaxMsgLen says: the limit is set before the session can be configured. There is no way to it but
// by the private fields.
func raiseReadLimit(session getty.Session, limit int64) error {
	connection := reflect.ValueOf(session).Elem().FieldByName("Connection").Elem()
	conn := connection.Elem().FieldByName("conn")
	if conn.Type() != reflect.TypeFor[*websocket.Conn]() {
		return fmt.Errorf("expected a WebSocket in the private fields of a session, found a %s", conn.Type())
	}
	(*websocket.Conn)(conn.UnsafePointer()).SetReadLimit(limit)
	return nil
}
