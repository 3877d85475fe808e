//go:build no_ui

package web

import (
	"embed"
	"io/fs"
)

func built() fs.FS { return embed.FS{} }
