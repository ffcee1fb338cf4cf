<?php
/**
 * Plugin Name: Akismet by Hamlet
 * Description: Points the stock Akismet plugin at your own Hamlet. Copy this file to wp-content/mu-plugins/ and enter the site's akismet_key as the API key.
 * License: MIT OR Apache-2.0
 *
 * In wp-config.php: define( 'HAMLET_URL', 'http://127.0.0.1:8025' ); and, if it has a certificate of your own authority,
 * define( 'HAMLET_CA_FILE', '/etc/ssl/hamlet-ca.pem' ); since WordPress reads its own list of authorities and not the system's.
 */

defined( 'ABSPATH' ) || exit;

add_filter(
	'pre_http_request',
	static function ( $answer, $arguments, $url ) {
		$host = strtolower( (string) wp_parse_url( $url, PHP_URL_HOST ) );
		if ( false !== $answer || ( 'rest.akismet.com' !== $host && ! str_ends_with( $host, '.rest.akismet.com' ) ) ) {
			return $answer;
		}
		$base  = untrailingslashit( defined( 'HAMLET_URL' ) ? HAMLET_URL : 'http://127.0.0.1:8025' );
		$query = wp_parse_url( $url, PHP_URL_QUERY );
		if ( defined( 'HAMLET_CA_FILE' ) ) {
			$arguments['sslcertificates'] = HAMLET_CA_FILE;
		}
		return wp_remote_request( $base . wp_parse_url( $url, PHP_URL_PATH ) . ( $query ? "?$query" : '' ), $arguments );
	},
	10,
	3
);
