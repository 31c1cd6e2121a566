namespace BasiqFunctions.LocalHost;

/// <summary>The host cannot run, and the message tells the user what to do about it.</summary>
internal sealed class LocalHostException(string message, Exception? innerException = null) : Exception(message, innerException);
