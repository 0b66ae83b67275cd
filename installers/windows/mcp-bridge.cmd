@"%~dp0..\runtime\node.exe" "%~dp0..\bin\mcp-bridge.js" %*
