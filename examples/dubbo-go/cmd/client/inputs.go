package main

import (
	"math"
	"strings"
	"time"

	"github.com/getty-rs/getty/examples/dubbo-go/user"
)

// texts has the lengths at which Hessian changes its form, and characters of one to four bytes.
func texts() []string {
	return []string{
		"", "Ada", "José", "世界", "👋🏽 👨‍👩‍👧", "\x00\t\n\"\\",
		strings.Repeat("a", 24), strings.Repeat("a", 25), strings.Repeat("é", 1015), strings.Repeat("世", 1016),
		strings.Repeat("a", 32767) + "👋 behind the end of a chunk",
		strings.Repeat("界", 70000),
	}
}

func ramp(length int) []byte {
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(i)
	}
	return data
}

func person(name string, age int32) *user.User {
	return &user.User{ID: int64(len(name)), Name: name, Age: age, Level: user.Bronze}
}

// people has a user with everything, one with nothing, and extremes. They share no pointers: dubbo-go
// does not count empty lists when it numbers what it could refer back to, so a reference after one
// points to the wrong object.
func people() []*user.User {
	return []*user.User{
		{
			ID: 7, Name: "Ada 世界 👋🏽", Age: 36, Level: user.Bronze,
			Address:  &user.Address{Street: "1 Long Street", City: "London", Zip: text("N1")},
			Email:    text("ada@example.com"),
			Born:     time.Date(1815, 12, 10, 1, 2, 3, 4e6, time.UTC),
			Tags:     []string{"math", "", "诗"},
			Accounts: map[string]float64{"": 0, "euro": 12.345, "比": -1e300, "one": 1},
			Photo:    ramp(300),
			Friends: []*user.User{
				{
					ID: 8, Name: "Charles", Age: 44, Level: user.Gold,
					Address: &user.Address{Street: "2 Short Street", City: "伦敦"},
					Friends: []*user.User{person("friend of a friend", 20), {Name: "Mary", Tags: []string{"one"}, Level: user.Silver}},
				},
				person("Grace", 30),
			},
		},
		{},
		{ID: math.MinInt64, Age: math.MinInt32, Level: user.Silver, Email: text(""), Address: &user.Address{}, Born: time.UnixMilli(0)},
		{ID: math.MaxInt64, Age: math.MaxInt32 - 1, Level: user.Gold, Tags: []string{}, Friends: []*user.User{}, Accounts: map[string]float64{}, Photo: []byte{}},
	}
}

func text(s string) *string { return &s }
