//go:build !no_ui

package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// built gives the files of the built UI; without a build there is no
// index.html among them.
func built() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return embed.FS{}
	}
	return files
}
