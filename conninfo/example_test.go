package conninfo_test

import (
	"errors"
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
)

// Parse reads both ways to write a connection string. Neither shows the password when printed.
func ExampleParse() {
	info, err := conninfo.Parse("postgres://bob:p%40ss%2Fword@db1,db2:5433/shop?sslmode=require")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info)
	for _, host := range info.Hosts() {
		fmt.Printf("%s, port %q\n", host.Name, host.Port)
	}
	// Output:
	// host='db1,db2' port=',5433' dbname='shop' user='bob' password='xxxxx' sslmode='require'
	// db1, port ""
	// db2, port "5433"
}

// A password with a bare @ would be cut in two. The error says what to do, and repeats nothing of the string.
func ExampleParse_refused() {
	_, err := conninfo.Parse("postgres://bob:p@ss@db1/shop")
	fmt.Println(err)
	// Output:
	// the connection string is a URL with an @ in the wrong place; percent-encode special characters in user, password and database: @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25, a space as %20; or give the password separately from the URL
}

// A server may repeat the password in its messages, in whole or in pieces.
func ExampleInfo_Hide() {
	info, err := conninfo.Parse("user=bob password=tr0ub4dor/horse")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Hide(errors.New(`user "bob" has no database "horse"`)))
	// Output:
	// user "bob" has no database "xxxxx"
}
