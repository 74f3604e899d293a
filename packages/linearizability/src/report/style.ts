// How the page looks.

export const style = `
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em; color: #1c2128; background: #fff }
h1 span, h2 span { padding: 0 .4em; border-radius: 4px; color: #fff }
span.ok { background: #1a7f37 } span.illegal { background: #b42318 } span.unknown { background: #9a6700 }
section { border-top: 1px solid #d0d7de; margin-top: 2em; overflow-x: auto }
table { border-collapse: collapse } td, th { padding: .15em .8em; text-align: left; border-bottom: 1px solid #eaeef2 }
tr.suspect td { background: #ffe2de; font-weight: 600 }
.legend span { padding: .1em .5em; border: 1px solid #57606a; border-radius: 3px; margin-right: .6em }
.legend .suspect { background: #f5a299 } .legend .evidence { background: #ffd98a }
.legend .open { border-style: dashed } .legend .fault { background: #e6dcf5 }
svg { font: 11px ui-monospace, monospace; margin: .8em 0 }
svg line { stroke: #eaeef2 } svg .time, svg .process { fill: #57606a }
.bar rect { fill: #cfe5ff; stroke: #57606a; stroke-width: .7 }
.bar.open rect { stroke-dasharray: 4 3; fill-opacity: .45 }
.bar.evidence rect { fill: #ffd98a } .bar.suspect rect { fill: #f5a299; stroke: #b42318; stroke-width: 2 }
svg .fault rect { fill: #7a4fc4; fill-opacity: .14 } svg .fault text { fill: #5b3a9b }
`
